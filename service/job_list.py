"""Jobs as JSON text, for lists that are asked for again and again while few of their jobs change."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from pydantic_core import from_json
from sqlalchemy import JSON, ColumnElement, Text, select
from sqlalchemy import cast as sql_cast

from service import views
from service.tables import Job

#: the table's columns: through those of `Job` each statement would be looked through for rows to make objects of
JOBS = Job.__table__.c
_SHOWN = [column for column in JOBS if column.name != "preparation"]
_DOCUMENTS = frozenset(column.name for column in _SHOWN if isinstance(column.type, JSON))
_NAMES = tuple(column.name for column in _SHOWN)
#: what to select: documents as text, so that a row that has not changed is known without reading them
_COLUMNS: list[ColumnElement[Any]] = [
    sql_cast(column, Text).label(column.name) if column.name in _DOCUMENTS else column for column in _SHOWN
]
#: of all jobs; made once, as reading thirty columns into a statement costs more than adding to it
LISTED = select(*_COLUMNS)


def as_json(row: Any) -> str:
    """A row of `LISTED` as `views.job` shows it. Of a job that runs, the time that is left is reckoned anew."""
    values = tuple(row)
    return _rendered(values) if row.state == "running" else _kept(values)


def _rendered(values: tuple[Any, ...]) -> str:
    read = {
        name: from_json(value) if name in _DOCUMENTS and value is not None else value
        for name, value in zip(_NAMES, values, strict=True)
    }
    return views.job(cast(Job, SimpleNamespace(**read))).model_dump_json()


_kept = lru_cache(maxsize=2048)(_rendered)
