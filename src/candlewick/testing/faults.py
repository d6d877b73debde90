"""Faults: defects seeded on purpose, each where a real one would sit, to see that the right check finds it.

Each engine is the optimized one with one thing wrong; each ``build_...`` is an application with such an engine, each
``serve_...`` a server with one thing wrong. The validator takes them by name: ``candlewick.testing.faults:build_slow``.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from candlewick.errors import CandlewickError, InputError, KilledError
from candlewick.service.answer import Answer, read_only
from candlewick.service.classic import ClassicService
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.validator.passing import Passing

Store = str | CandleRepository


class Changing(Passing):
    """Every answer goes through ``changed``."""

    def changed(self, answer: Answer) -> Answer:
        """The answer as it is given."""
        raise NotImplementedError

    def candles(self, request: Request) -> Answer:
        return self.changed(self.inner.candles(request))

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        found = self.inner.candles_many(requests, deadline=deadline)
        return [self.changed(one) if isinstance(one, Answer) else one for one in found]

    def cached(self, request: Request) -> Answer | None:
        found = self.inner.cached(request)
        return None if found is None else self.changed(found)


class WrongSigma(Changing):
    """Bands from the sample's deviation: for 20 bars 2.6% too wide."""

    def changed(self, answer: Answer) -> Answer:
        columns = dict(answer.indicators)
        for name, values in answer.indicators.items():
            kind, _, rest = name.partition("_")
            middle = answer.indicators.get(name.rpartition("_")[0] + "_middle")
            if kind == "bollinger" and name.endswith(("upper", "lower")) and middle is not None:
                period = int(rest.partition("_")[0])
                columns[name] = read_only(middle + (values - middle) * math.sqrt(period / (period - 1)))
        return replace(answer, indicators=columns, _encoded={})


class Slow(Passing):
    """Each answer comes once ``other`` has given it too: slower than that one is, however busy the machine."""

    def __init__(self, inner: AnalyticsService, other: AnalyticsService) -> None:
        super().__init__(inner)
        self.other = other

    def candles(self, request: Request) -> Answer:
        self.other.candles(request)
        return self.inner.candles(request)

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        self.other.candles_many(requests, deadline=deadline)
        return self.inner.candles_many(requests, deadline=deadline)

    def cached(self, request: Request) -> Answer | None:
        found = self.inner.cached(request)
        if found is not None:
            self.other.candles(request)
        return found


class Forgetful(Passing):
    """A cache that never has what is asked for, whatever the flags say."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        inner.reconfigure(cache_enabled=False)

    def reconfigure(self, **changes: Any) -> None:
        """Every change but that of the cache."""
        self.inner.reconfigure(**{**changes, "cache_enabled": False})  # type: ignore[attr-defined]


class Leaking(Changing):
    """Something stays behind of every request."""

    size = 2_000

    def __init__(self, inner: AnalyticsService) -> None:
        super().__init__(inner)
        self.left: list[bytes] = []

    def changed(self, answer: Answer) -> Answer:
        self.left.append(bytes(self.size))
        return answer


class Hoarding(Changing):
    """Copies of whole answers stay behind."""

    def __init__(self, inner: AnalyticsService) -> None:
        super().__init__(inner)
        self.left: list[Any] = []

    def changed(self, answer: Answer) -> Answer:
        self.left.append([column.copy() for column in answer.columns.values() for _ in range(4)])
        return answer


class Stale(Passing):
    """The first answer to a question is the answer for ever."""

    def __init__(self, inner: AnalyticsService) -> None:
        super().__init__(inner)
        self.known: dict[Request, Answer] = {}

    def candles(self, request: Request) -> Answer:
        if request not in self.known:
            self.known[request] = self.inner.candles(request)
        newest = self.inner.candles(replace(request, indicators=()))
        return replace(self.known[request], revision=newest.revision, _encoded={})


class Nameless(Changing):
    """Answers that say they come from the other engine."""

    def changed(self, answer: Answer) -> Answer:
        return replace(answer, engine="classic", _encoded={})


class Altered:
    """An application with one thing other than it was."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Credulous(Altered):
    """Says yes to every value of a flag, and does nothing about those of no use."""

    def set_flag(self, name: str, value: Any, who: str, why: str = "") -> Any:
        """Acknowledged, whatever it is."""
        try:
            return self.inner.set_flag(name, value, who, why)
        except (InputError, KilledError):
            return None


def build_wrong_sigma(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 with sample deviations."""
    return _with(WrongSigma, store, control, engines)


def build_slow(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 slower than V1."""
    other = ClassicService(open_store(store) if isinstance(store, str) else store)
    return _with(lambda inner: Slow(inner, other), store, control, engines)


def build_forgetful(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 whose cache never hits."""
    return _with(Forgetful, store, control, engines)


def build_leaking(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 that leaks."""
    return _with(Leaking, store, control, engines)


def build_hoarding(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 that takes more memory than V1."""
    return _with(Hoarding, store, control, engines)


def build_stale(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 that does not see what was written."""
    return _with(Stale, store, control, engines)


def build_nameless(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """V2 that breaks the contract."""
    return _with(Nameless, store, control, engines)


def build_without_rollback(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """Guards that see nothing: no failure of V2 has consequences."""
    application = _build(store, control, **engines)
    application.controller.decide = lambda _=None: None
    return application


def build_credulous(store: Store, control: Path | None = None, **engines: Any) -> Any:
    """Flags that take any value."""
    return Credulous(_build(store, control, **engines))


def serve_without_metrics(application: Any) -> Callable[..., Awaitable[None]]:
    """A server whose /metrics is dead."""
    app = import_module("candlewick.server.http").create_app(application)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/metrics"):
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return guarded


def corrupt_row(path: Path, symbol: str, row: int, change: str) -> None:
    """Write SQL such as ``high = low - 1`` into a stored row of a DuckDB store, behind the back of every check."""
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"UPDATE candles SET {change} WHERE series = (SELECT id FROM series WHERE symbol = $symbol) AND time = "
            "(SELECT time FROM candles WHERE series = (SELECT id FROM series WHERE symbol = $symbol) "
            "ORDER BY time LIMIT 1 OFFSET $row)",
            {"symbol": symbol, "row": row},
        )


def _build(store: Store, control: Path | None, **engines: Any) -> Any:
    return import_module("candlewick.app").build(store, control, **engines)


def _with(
    fault: Callable[[AnalyticsService], Passing], store: Store, control: Path | None, engines: dict[str, Any]
) -> Any:
    """The application whose V2 has this fault."""
    optimized = engines.pop("optimized", None)
    if optimized is None:
        service = import_module("candlewick.service.optimized").OptimizedService
        optimized = service(open_store(store) if isinstance(store, str) else store)
    return _build(store, control, optimized=fault(optimized), **engines)
