"""Client: the calls of a candlewick server from Python, as the library has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from candlewick.client.address import Address
from candlewick.client.body import body_of
from candlewick.client.connection import Connection, Reply
from candlewick.client.controls import Controls
from candlewick.client.question import edge, followed, indicator_text, parameters, segment, timeframe_text
from candlewick.client.remembered import Kept, Remembered
from candlewick.client.served_answer import ACCEPTED, ARROW, ServedAnswer, of_arrow, of_json
from candlewick.client.stream import BarStream
from candlewick.client.streamed_bar import StreamedBar
from candlewick.client.told_series import series_of
from candlewick.errors import CandlewickError, InputError
from candlewick.indicators import Specs
from candlewick.moments import Moment
from candlewick.sources.summary import IngestSummary
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    import httpx

    from candlewick.backup import BackedUp

SECONDS = 60.0
BACKUP_SECONDS = 3600.0
"""That a server may take to make a backup."""

INGEST_SECONDS = 600.0
REMEMBERED_MB = 64
AT_ONCE = 8
"""Requests of ``candles_many`` that are under way together."""


def connect(
    url: str, key: str | None = None, *, timeout: float = SECONDS, remembered_mb: float = REMEMBERED_MB
) -> Client:
    """A client of the server at ``url``, such as ``http://127.0.0.1:8787``; nothing is sent before its first call.

    ``key``: what `candlewick keys create` printed; left out, ``CANDLEWICK_KEY`` of the environment. It goes to this
    address and to no other. ``timeout``: seconds that a call may take, with what is tried again. ``remembered_mb``: how
    much of the last answers is kept, so that the server sends only what has changed. Raises InputError.
    """
    return Client(url, key, timeout=timeout, remembered_mb=remembered_mb)


class Client(Controls):
    """The calls of one server. May be used from several threads; a context manager.

    Raises what the server's problem documents tell of (`candlewick.errors`), UnreachableError where there is no server,
    DeadlineError after ``timeout``. A connection that fails, and the answers 429, 503 and 504, are tried again within
    that time, never sooner than the server asks; a change of a flag is not. ``retries=False``: nothing is.
    ``transport``: how requests are sent, for tests.
    """

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        timeout: float = SECONDS,
        remembered_mb: float = REMEMBERED_MB,
        retries: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
            raise InputError("timeout", timeout, "give seconds above 0")
        self._connection = Connection(Address.of(address, key), timeout, retries=retries, transport=transport)
        self._remembered = Remembered.of(remembered_mb)
        self.timeout = timeout

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._connection.address.url

    def candles(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        indicators: Specs | None = None,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        engine: str = "auto",
        source: str | Timeframe | None = None,
        zero_volume: str | None = None,
        final_only: bool = False,
        limit: int | None = None,
        as_of: Moment | None = None,
        adjusted: bool = False,
    ) -> ServedAnswer:
        """Bars of ``start <= time < end`` with indicators: the columns that the library gives, bit for bit.

        ``engine``: ``auto`` follows the rollout, ``classic`` and ``optimized`` name one. ``limit``: bars that the
        answer may have; left out, the server's. ``as_of``: made of what was known at that moment. ``adjusted``: of
        candles adjusted by the symbol's split factors. Raises UnknownSeriesError, LimitError, HistoryError, InputError,
        NaiveTimeError.
        """
        asked = parameters(
            timeframe=timeframe_text(timeframe),
            indicators=indicator_text(indicators),
            start=edge(start, "start"),
            end=edge(end, "end"),
            engine=engine,
            source=timeframe_text(source, "source"),
            zero_volume=zero_volume,
            final_only=True if final_only else None,
            limit=limit,
            as_of=edge(as_of, "as_of"),
            adjusted=True if adjusted else None,
        )
        path = f"/v1/candles/{segment(symbol, 'symbol')}"
        question = (path, tuple(asked.items()))
        kept = self._remembered.find(question)
        condition = {} if kept is None else {"If-None-Match": kept.tag}
        reply = self._connection.ask("GET", path, params=asked, headers={"Accept": ACCEPTED} | condition)
        if reply.status == 304 and kept is not None:
            return kept.answer.served(reply.headers)
        answer = self._answer(reply, path)
        if reply.headers.get("etag"):
            self._remembered.keep(question, Kept(reply.headers["etag"], answer))
        return answer

    def candles_many(
        self, symbols: Iterable[str], timeframe: str | Timeframe, indicators: Specs | None = None, **asked: Any
    ) -> list[ServedAnswer | CandlewickError]:
        """The answers of many symbols in their order, some at a time; one that fails has its error in its place.
        ``asked``: as ``candles`` takes it."""

        def one(symbol: str) -> ServedAnswer | CandlewickError:
            try:
                return self.candles(symbol, timeframe, indicators, **asked)
            except CandlewickError as error:
                return error

        with ThreadPoolExecutor(AT_ONCE, "candlewick-client") as pool:
            return list(pool.map(one, (symbols,) if isinstance(symbols, str) else symbols))

    def stream(
        self,
        symbols: str | Iterable[str],
        timeframe: str | Timeframe,
        indicators: Specs | None = None,
        *,
        bars: int | None = None,
        engine: str = "auto",
        since: StreamedBar | Mapping[str, StreamedBar] | None = None,
    ) -> BarStream:
        """Bars as they form and close: ``for bar in client.stream("SPY", "5m", indicators="desk")``.

        First come the last ``bars`` bars (left out: as many as the server likes), or with ``since`` those after the
        last bar that was seen (of several symbols: by symbol). `BarStream` says what follows.
        """
        names, seen = followed(symbols, since)
        return BarStream(
            self._connection.address,
            self._read,
            names,
            {
                "timeframe": timeframe_text(timeframe),
                "indicators": indicator_text(indicators),
                "bars": bars,
                "engine": engine,
            },
            seen,
            self.timeout,
        )

    def symbols(self) -> list[Series]:
        """The stored series, by symbol, then from the finest timeframe to the coarsest."""
        return [series_of(one) for one in self._connection.json("GET", "/v1/symbols")]

    def indicators(self) -> dict[str, Any]:
        """What the server can compute: ``indicators``, each with how it is written, its columns and its warm-up, the
        server's own plug-ins among them, and ``presets``."""
        found: dict[str, Any] = self._connection.json("GET", "/v1/indicators")
        return found

    def explain(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        at: Moment,
        column: str,
        *,
        engine: str = "auto",
        source: str | Timeframe | None = None,
        zero_volume: str | None = None,
        as_of: Moment | None = None,
        adjusted: bool = False,
    ) -> dict[str, Any]:
        """Where one value comes from: the bar that opens at ``at``, its ``column``.

        What `candlewick.explain.explanation.Explanation` has, as plain values, times in ISO UTC.
        """
        asked = parameters(
            symbol=symbol,
            timeframe=timeframe_text(timeframe),
            at=edge(at, "at"),
            column=column,
            engine=engine,
            source=timeframe_text(source, "source"),
            zero_volume=zero_volume,
            as_of=edge(as_of, "as_of"),
            adjusted=True if adjusted else None,
        )
        found: dict[str, Any] = self._connection.json("GET", "/v1/explain", params=asked)
        return found

    def ingest(
        self,
        candles: Any,
        *,
        calendar: str | None = None,
        timeframe: str | Timeframe | None = None,
        symbol: str | None = None,
        timezone: str | None = None,
        timeout: float = INGEST_SECONDS,
    ) -> IngestSummary:
        """Store candles: `Candles`, a frame of pandas or polars, an Arrow table, or the path of one file.

        A file is sent as it is. `Candles` know their symbol, timeframe and calendar; of anything else ``calendar`` must
        be said, and the timeframe is 1m when left out. Sending the same once more changes nothing, so an attempt that
        fails is made again within ``timeout`` seconds. Raises what `candlewick.ingest` raises.
        """
        body = body_of(candles)
        said = {
            "symbol": symbol,
            "timeframe": timeframe_text(timeframe),
            "calendar": calendar,
            "timezone": timezone,
            "name": body.name,
        }
        asked = body.about | parameters(**said)
        if "calendar" not in asked:
            raise InputError("calendar", None, "there is no default; give one such as XNYS or 24/7", "is missing")
        found = self._connection.json(
            "POST", "/v1/candles", params=asked, headers=body.headers, content=body.content, timeout=timeout
        )
        return IngestSummary(**{name: found[name] for name in IngestSummary.__dataclass_fields__})

    def backup(self, file: str | Path, *, control: bool = True, timeout: float = BACKUP_SECONDS) -> BackedUp:
        """All that the server's store holds at one moment in a new file, which appears whole or not at all.

        ``control``: with its control journal. ``timeout``: seconds that the server may take. Raises InputError where
        there is a file already, RoleError, and FileFormatError when what arrives is not what was sent.
        """
        from candlewick.backup.archive import Archive, new_file
        from candlewick.backup.backup import backed_up

        path = Path(file)
        with new_file(path) as to:
            asked = {"control": "true" if control else "false"}
            self._connection.fetch("/v1/backup", to, params=asked, timeout=timeout)
            to.flush()
            with Archive(Path(to.name)) as archive:
                for _ in archive.check():
                    pass
                manifest = archive.manifest
        return backed_up(path, manifest)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def __repr__(self) -> str:
        return f"<Client of {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, reply: Reply, path: str) -> ServedAnswer:
        if reply.kind == ARROW:
            return of_arrow(reply.body, reply.headers)
        return of_json(self._connection.value(reply.body, f"GET {path}"), reply.headers)

    def _read(self, symbol: str, asked: Mapping[str, Any], start: int | None, end: int | None) -> ServedAnswer:
        """What a stream reads again: as much as there is, whatever the usual limit."""
        return self.candles(
            symbol,
            asked["timeframe"],
            asked["indicators"],
            engine=asked["engine"],
            start=start,
            end=end,
            limit=10**12 - 1,
        )
