"""The sockets' database calls: in threads of their own, on connections that are looked after.

In Django's one thread for synchronous code a push would wait behind everybody's pages.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from channels.db import database_sync_to_async

_pool = ThreadPoolExecutor(3, thread_name_prefix="console")


def in_a_thread(function: Callable[..., Any]) -> Any:
    return database_sync_to_async(function, thread_sensitive=False, executor=_pool)
