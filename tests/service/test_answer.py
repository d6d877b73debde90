"""Answer: every form holds the same columns, is made once, and is counted by who keeps the answer."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.service.answer import BAR_COLUMNS, Answer
from candlewick.service.optimized import OptimizedService
from candlewick.service.packed import CODINGS, PACKED_FROM, packed
from candlewick.service.request import Request
from candlewick.store.memory import MemoryStore

OPEN = np.datetime64("2024-01-02T14:30", "us")
REQUEST = Request.of("S", "5m", "sma(3),rsi(14)")


@pytest.fixture
def store() -> MemoryStore:
    close = np.round(100 + np.random.default_rng(3).normal(0, 1, 390).cumsum(), 2)
    held = MemoryStore()
    held.upsert(
        Candles(
            symbol="S",
            timeframe="1m",
            calendar="XNYS",
            time=OPEN + np.arange(390) * np.timedelta64(60, "s"),
            **dict.fromkeys(("open", "high", "low", "close"), close),
            volume=np.ones(390),
        )
    )
    return held


@pytest.fixture
def answer(store: MemoryStore) -> Answer:
    return OptimizedService(store).candles(REQUEST)


def unpacked(data: bytes, coding: str | None) -> bytes:
    if coding == "gzip":
        return gzip.decompress(data)
    return data if coding is None else pa.input_stream(pa.py_buffer(data), compression="zstd").read()


def table(data: bytes) -> Any:
    return pa.ipc.open_stream(data).read_all()


def test_arrow_has_the_columns_of_the_answer(answer: Answer) -> None:
    found = table(answer.arrow())
    assert found.column_names == [*BAR_COLUMNS, "sma_3", "rsi_14"]
    kinds = {name: str(found.schema.field(name).type) for name in found.column_names}
    assert kinds.pop("time") == "timestamp[us, tz=UTC]"
    assert kinds.pop("n") == "int32"
    assert kinds.pop("final") == "bool"
    assert set(kinds.values()) == {"double"}
    np.testing.assert_array_equal(found["time"].cast(pa.int64()).to_numpy(), answer.bars.microseconds)
    for name in (*VALUES, "n"):
        np.testing.assert_array_equal(found[name].to_numpy(), getattr(answer.bars, name))
    assert found["final"].to_pylist() == answer.bars.final.tolist()
    for name in ("sma_3", "rsi_14"):
        undefined = np.isnan(answer.indicators[name])
        assert found[name].is_null().to_numpy().tolist() == undefined.tolist()
        assert undefined.any()
        np.testing.assert_array_equal(found[name].to_numpy()[~undefined], answer.indicators[name][~undefined])


def test_arrow_says_what_json_says_before_its_columns(answer: Answer) -> None:
    said = {name.decode(): value.decode() for name, value in table(answer.arrow()).schema.metadata.items()}
    document = json.loads(answer.json())
    document.pop("columns")
    assert said == {name: str(value) for name, value in document.items()}


@pytest.mark.parametrize("kind", ["json", "arrow"])
@pytest.mark.parametrize("coding", [None, *CODINGS])
def test_every_form_unpacks_to_the_plain_one(answer: Answer, kind: str, coding: str | None) -> None:
    assert not answer.at_hand(kind, coding)
    data, found = answer.encoded(kind, coding)
    assert found == coding
    assert answer.at_hand(kind, coding)
    assert answer.encoded(kind, coding)[0] is data
    plain = answer.json() if kind == "json" else answer.arrow()
    assert unpacked(data, coding) == plain
    assert coding is None or len(data) < len(plain)


def test_what_is_short_is_not_packed_unless_it_must_be(store: MemoryStore) -> None:
    short = OptimizedService(store).candles(Request.of("S", "1d"))
    assert len(short.json()) < PACKED_FROM
    assert short.encoded("json", "gzip") == (short.json(), None)
    data, coding = short.encoded("json", "gzip", 0)
    assert (coding, gzip.decompress(data)) == ("gzip", short.json())


def test_packing_gives_the_same_bytes_every_time() -> None:
    data = b"candles " * 1000
    for coding in CODINGS:
        assert packed(data, coding) == packed(data, coding)


def test_every_form_is_counted_by_the_cache(store: MemoryStore) -> None:
    service = OptimizedService(store)
    service.candles(REQUEST)
    answer = service.cached(REQUEST)
    assert answer is not None
    before = service.stats().cache.bytes
    sizes = [len(answer.encoded(kind, coding)[0]) for kind in ("json", "arrow") for coding in (None, *CODINGS)]
    assert service.stats().cache.bytes == before + sum(sizes) == service.cache.recounted()
    again = service.cached(REQUEST)
    assert again is not None
    assert all(again.at_hand(kind, coding) for kind in ("json", "arrow") for coding in (None, *CODINGS))
