"""Where the test database is, for another process."""

import os
from urllib.parse import urlsplit

from django.db import connections


def address_of_test_database() -> str:
    """A DATABASE_URL. Only once pytest-django has made the database."""
    chosen = connections["default"].settings_dict
    if chosen["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{chosen['NAME']}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{chosen['NAME']}").geturl()
