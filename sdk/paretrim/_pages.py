"""Collections that fetch their next page when it is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from paretrim._drive import AsyncDriver, Driver
from paretrim._flow import Call, Flow, fetch, query
from paretrim.wire import Page

T = TypeVar("T")

PAGE_SIZE = 100


@dataclass(frozen=True)
class Listing(Generic[T]):
    """What to list: where, filtered how, and what an entry becomes."""

    path: str
    shape: type[Page[Any]]
    entry: Callable[[Any], T]
    filters: Mapping[str, str | list[str]]
    limit: int | None = None  #: at most so many entries in all

    def page(self, cursor: str | None, given: int) -> Flow[Page[Any]]:
        """The page at the cursor."""
        size = PAGE_SIZE if self.limit is None else min(PAGE_SIZE, self.limit - given)
        params = {**self.filters, **query(limit=size, cursor=cursor)}
        return fetch(Call("GET", self.path, params=params), self.shape)

    def full(self, given: int) -> bool:
        """Whether the limit is reached."""
        return self.limit is not None and given >= self.limit


class Pages(Generic[T]):
    """A collection: iterate over it. Pages are fetched as they are reached; every iteration starts anew."""

    def __init__(self, driver: Driver, listing: Listing[T]) -> None:
        self._driver = driver
        self._listing = listing

    def __iter__(self) -> Iterator[T]:
        cursor, given = None, 0
        while not self._listing.full(given):
            page = self._driver.run(self._listing.page(cursor, given))
            for entry in page.data:
                yield self._listing.entry(entry)
            given, cursor = given + len(page.data), page.next_cursor
            if cursor is None:
                return

    def all(self) -> list[T]:
        """Everything, as a list."""
        return list(self)


class AsyncPages(Generic[T]):
    """A collection: iterate over it with `async for`. Pages are fetched as they are reached."""

    def __init__(self, driver: AsyncDriver, listing: Listing[T]) -> None:
        self._driver = driver
        self._listing = listing

    async def __aiter__(self) -> AsyncIterator[T]:
        cursor, given = None, 0
        while not self._listing.full(given):
            page = await self._driver.run(self._listing.page(cursor, given))
            for entry in page.data:
                yield self._listing.entry(entry)
            given, cursor = given + len(page.data), page.next_cursor
            if cursor is None:
                return

    async def all(self) -> list[T]:
        """Everything, as a list."""
        return [entry async for entry in self]
