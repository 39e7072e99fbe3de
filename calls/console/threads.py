"""The sockets' database calls, in threads of their own.

In Django's one thread for synchronous code a push would wait behind everybody's pages.
"""

from functools import partial

from calls import threads

in_a_thread = partial(threads.in_a_thread, threads=threads.pool("console", 3))
