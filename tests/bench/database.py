"""A PostgreSQL database of the bench's own, for as long as it is used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql


@contextmanager
def postgresql() -> Iterator[str | None]:
    """Its address, on the server of CI_DATABASE_URL, of DATABASE_URL, or on this machine; None: there is no server."""
    named = os.environ.get("CI_DATABASE_URL") or os.environ.get("DATABASE_URL") or ""
    if not named.startswith("postgres"):
        named = "postgresql://postgres@127.0.0.1:5432/postgres"
    server, _, _ = named.rpartition("/")
    name = f"transferhub_bench_{os.getpid()}"
    try:
        connection = psycopg.connect(f"{server}/postgres", connect_timeout=3, autocommit=True)
    except psycopg.Error:
        yield None
        return
    with connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
