"""Ahead: an iterator that makes its next item in a thread while the caller works on this one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T]) -> Generator[T]:
    """The same items in the same order. An error is raised where its item would have come; leaving early closes it."""
    with ThreadPoolExecutor(1, thread_name_prefix="candlewick-ahead") as pool:
        coming = pool.submit(next, items, cast(T, _END))
        try:
            while (item := coming.result()) is not _END:
                coming = pool.submit(next, items, cast(T, _END))
                yield item
        finally:
            coming.cancel()
            pool.shutdown(wait=True)
            close = getattr(items, "close", None)
            if close is not None:
                close()
