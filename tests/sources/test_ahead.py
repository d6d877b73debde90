from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from candlewick.sources.ahead import ahead


def test_the_same_items_in_order() -> None:
    assert list(ahead(iter(range(50)))) == list(range(50))
    assert list(ahead(iter([]))) == []
    assert list(ahead(iter([None, None]))) == [None, None]


def test_items_are_made_elsewhere() -> None:
    threads = set(ahead(threading.get_ident() for _ in range(3)))
    assert threads
    assert threading.get_ident() not in threads


def test_an_error_comes_where_its_item_would() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    found = []
    with pytest.raises(OSError, match="gone"):
        found.extend(ahead(broken()))
    items = ahead(broken())
    assert next(items) == 1


def test_leaving_early_closes_the_source() -> None:
    closed = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    items = ahead(source())
    assert next(items) == 0
    items.close()
    assert closed == [True]
