"""The few statements that every step of a transfer makes, written once.

Django composes the SQL of each query anew, which is most of what a small one costs; whoever has said yes waits for
several of them one after the other. The columns are those of the models, and their values are made as Django makes
them. For everything else use the ORM.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db import DatabaseError, connection, models

Row = TypeVar("Row", bound=models.Model)

_thread = threading.local()


def locked(model: type[Row], pk: Any, more: str = "") -> Row:
    """The row, locked until the transaction ends; not against rows that come to refer to it. `more`: SQL of further
    columns, which become attributes. Raises model.DoesNotExist."""
    key = model._meta.pk.get_db_prep_value(pk, connection)
    found = list(model._base_manager.raw(_select(model, more), [key]))
    if not found:
        raise model.DoesNotExist(f"{model.__name__} {pk}")  # type: ignore[attr-defined]
    return found[0]


@contextmanager
def together() -> Iterator[None]:
    """What is inserted and updated within is written at the end, in one round trip where the database can; of a row
    that is updated several times only the last state."""
    before, _thread.batch = getattr(_thread, "batch", None), _Batch()
    try:
        yield
        _thread.batch.write()
    finally:
        _thread.batch = before


def insert(row: models.Model) -> None:
    """A new row, whose key nobody needs to know."""
    _batch(lambda batch: batch.new.append(row))


def update(row: models.Model, names: Sequence[str]) -> None:
    """These fields of a row. Raises DatabaseError when it is gone."""
    _batch(lambda batch: batch.changed.update({(type(row), row.pk): (row, tuple(names))}))


def _batch(add: Callable[["_Batch"], object]) -> None:
    batch = getattr(_thread, "batch", None)
    if batch is not None:
        add(batch)
    else:
        with together():
            add(_thread.batch)


class _Batch:
    def __init__(self) -> None:
        self.changed: dict[tuple[type[models.Model], Any], tuple[models.Model, tuple[str, ...]]] = {}
        self.new: list[models.Model] = []

    def write(self) -> None:
        made = [(*_update(type(row), names), row) for row, names in self.changed.values()]
        made += [(*_insert(type(row)), row) for row in self.new]
        statements = [(sql, [_value(field, row) for field in fields]) for sql, fields, row in made]
        if not statements:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                sql, values = zip(*statements, strict=True)
                cursor.execute("; ".join(sql), [value for each in values for value in each])
                counts = [cursor.rowcount, *(cursor.rowcount for _ in iter(cursor.nextset, None))]
            else:
                counts = [cursor.execute(*each).rowcount for each in statements]
        if counts != [1] * len(counts):
            raise DatabaseError("a row that was to be updated is gone")


def _value(field: models.Field, row: models.Model) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


@cache
def _select(model: type[models.Model], more: str) -> str:
    name = connection.ops.quote_name
    columns = [name(field.column) for field in model._meta.concrete_fields] + [more] * bool(more)
    lock = connection.ops.for_update_sql(no_key=True) if connection.features.has_select_for_update else ""
    return f"SELECT {', '.join(columns)} FROM {name(model._meta.db_table)} WHERE {_is_row(model)} {lock}"


@cache
def _insert(model: type[models.Model]) -> tuple[str, list[models.Field]]:
    name = connection.ops.quote_name
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(name(field.column) for field in fields)
    marks = ", ".join("%s" for _ in fields)
    return f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({marks})", fields


@cache
def _update(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[models.Field]]:
    name = connection.ops.quote_name
    fields = [model._meta.get_field(each) for each in names]
    values = ", ".join(f"{name(field.column)} = %s" for field in fields)
    return f"UPDATE {name(model._meta.db_table)} SET {values} WHERE {_is_row(model)}", [*fields, model._meta.pk]


def _is_row(model: type[models.Model]) -> str:
    return f"{connection.ops.quote_name(model._meta.pk.column)} = %s"
