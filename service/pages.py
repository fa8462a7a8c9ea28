"""Parts of collections, in a fixed order, by keyset: the page after a row is found by what the row holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from sqlalchemy import ColumnElement, Connection, Select, and_, or_
from sqlalchemy.orm import Session

from paretrim.wire import Page
from service.cursors import Cursors

T = TypeVar("T", bound=BaseModel)
Statement = Select[*tuple[Any, ...]]  #: of any columns

DEFAULT_LIMIT = 50
MOST = 200
MOST_PAGE_BYTES = 256 * 1024  #: a page ends early rather than being larger than that


def _coerced(value: Any) -> Any:
    """More than the most is the most: a client that asks for everything gets a page and a cursor."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return MOST if len(value.lstrip("0")) > len(str(MOST)) else min(int(value), MOST)
    return value


LimitQuery = Annotated[
    int,
    BeforeValidator(_coerced),
    WithJsonSchema({"type": "integer", "minimum": 1}),  # which the validator before would hide
    Query(ge=1, description=f"At most so many; more than {MOST} is taken as {MOST}."),
]
CursorQuery = Annotated[
    str | None, Query(max_length=2000, description="`next_cursor` of the page before; filters must be the same.")
]


@dataclass(frozen=True, slots=True)
class Key:
    """A column that rows are ordered by. None comes last, whichever the direction."""

    column: Any
    descending: bool = False
    nullable: bool = False


def ordering(keys: Sequence[Key]) -> list[Any]:
    """ORDER BY, the same on both databases."""
    clauses: list[Any] = []
    for key in keys:
        if key.nullable:
            clauses.append(key.column.is_(None))
        clauses.append(key.column.desc() if key.descending else key.column.asc())
    return clauses


def after(keys: Sequence[Key], position: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that come after the one that holds `position`."""
    alternatives = []
    for depth, (key, value) in enumerate(zip(keys, position, strict=True)):
        equal = [_is(other, given) for other, given in zip(keys[:depth], position[:depth], strict=True)]
        later = _later(key, value)
        if later is not None:
            alternatives.append(and_(*equal, later))
    return or_(*alternatives)


def _is(key: Key, value: Any) -> ColumnElement[bool]:
    result: ColumnElement[bool] = key.column.is_(None) if value is None else key.column == value
    return result


def _later(key: Key, value: Any) -> ColumnElement[bool] | None:
    if value is None:
        return None  # nothing comes after None but other Nones
    beyond = key.column < value if key.descending else key.column > value
    result: ColumnElement[bool] = or_(beyond, key.column.is_(None)) if key.nullable else beyond
    return result


def page(
    session: Session,
    cursors: Cursors,
    statement: Statement,
    keys: Sequence[Key],
    *,
    limit: int,
    cursor: str | None,
    query: Mapping[str, Any],
    position: Callable[[Any], list[Any]],
    view: Callable[[Any], T],
    most_bytes: int | None = None,
    found_by: Any = None,
) -> Page[T]:
    """A page of `statement` in the order of `keys`.

    query: what the cursor is bound to; position: a row's values for `keys`; view: a row as it is sent; most_bytes: a
    page ends before it would grow larger than that as JSON, but holds a row at least; found_by: a column that tells
    rows apart, by which they are found before they are read: sorting many needs no more of them than an index holds.
    """
    rows = rows_after(session, cursors, statement, keys, limit=limit, cursor=cursor, query=query, found_by=found_by)
    data = [view(row) for row in rows[:limit]]
    if most_bytes is not None:
        data = data[: fitting(data, most_bytes)]
    more = len(rows) > len(data)
    next_cursor = cursors.write(position(rows[len(data) - 1]), query) if more else None
    return Page(data=data, next_cursor=next_cursor, has_more=more)


def rows_after(
    session: Session | Connection,
    cursors: Cursors,
    statement: Statement,
    keys: Sequence[Key],
    *,
    limit: int,
    cursor: str | None,
    query: Mapping[str, Any],
    found_by: Any = None,
) -> Sequence[Any]:
    """The rows of a page, and one more if there is one. See `page`."""
    if cursor is not None:
        statement = statement.where(after(keys, cursors.read(cursor, query)))
    wanted = statement.order_by(*ordering(keys)).limit(limit + 1)
    if found_by is not None:
        found = session.scalars(wanted.with_only_columns(found_by)).all()
        wanted = statement.where(found_by.in_(found)).order_by(*ordering(keys))
    return session.execute(wanted).all()


def fitting(data: Sequence[BaseModel], most_bytes: int) -> int:
    """How many of the first entries are no larger than that as JSON; one, if it alone is larger."""
    used = 0
    for count, entry in enumerate(data):
        used += len(entry.model_dump_json())
        if used > most_bytes and count:
            return count
    return len(data)
