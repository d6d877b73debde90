"""Client: the calls of a candlewick server, with its problem documents turned back into errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from candlewick.errors import InputError, UnreachableError
from candlewick.server.problem import CONTENT_TYPE, error_of

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 2.0
READ_SECONDS = 60.0
INGEST_SECONDS = 600.0

CONTENT_TYPES = {
    ".gz": "application/gzip",
    ".zip": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
    ".pq": "application/vnd.apache.parquet",
    ".arrows": "application/vnd.apache.arrow.stream",
    ".arrow": "application/vnd.apache.arrow.file",
    ".feather": "application/vnd.apache.arrow.file",
    ".ipc": "application/vnd.apache.arrow.file",
}
"""What a file is sent as, by its suffix; any other is text/csv."""


class Client:
    """The calls of the server at ``address``, such as ``http://127.0.0.1:8787``.

    Raises what the server's problem documents tell of (`candlewick.errors`), and UnreachableError where there is no
    server. ``transport``: how requests are sent, for tests.
    """

    def __init__(self, address: str, *, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        if not address.startswith(("http://", "https://")):
            raise InputError("address", address, "give one such as http://127.0.0.1:8787")
        self.address = address.rstrip("/")
        # Proxies of the environment are for the world, not for this machine.
        self._http = httpx.Client(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS), transport=transport, trust_env=False
        )

    def candles(self, symbol: str, timeframe: str, **asked: str | int | bool | None) -> dict[str, Any]:
        """The answer as JSON has it: ``symbol timeframe source engine revision fingerprint columns``.

        ``asked``: start, end, indicators, engine, source, zero_volume, final_only, limit, as HTTP takes them.
        """
        query = {"timeframe": timeframe} | {name: _text(value) for name, value in asked.items() if value is not None}
        found: dict[str, Any] = self._json("GET", f"/v1/candles/{quote(symbol, safe='')}", params=query)
        return found

    def symbols(self) -> list[dict[str, Any]]:
        """The stored series."""
        found: list[dict[str, Any]] = self._json("GET", "/v1/symbols")
        return found

    def ingest(
        self,
        path: str | Path,
        *,
        calendar: str,
        timeframe: str = "1m",
        symbol: str | None = None,
        timezone: str | None = None,
    ) -> dict[str, Any]:
        """Send one file of candles, as it is; returns the ingest summary."""
        file = Path(path)
        kind = CONTENT_TYPES.get(file.suffix.casefold(), "text/csv")
        given = {"calendar": calendar, "timeframe": timeframe, "symbol": symbol, "timezone": timezone}
        query = {name: value for name, value in given.items() if value is not None} | {"name": file.name}
        with file.open("rb") as content:
            found: dict[str, Any] = self._json(
                "POST",
                "/v1/candles",
                params=query,
                content=content,
                headers={"Content-Type": kind, "Content-Length": str(file.stat().st_size)},
                timeout=INGEST_SECONDS,
            )
        return found

    def status(self) -> dict[str, Any]:
        """Health, rollout and figures of the server."""
        found: dict[str, Any] = self._json("GET", "/v1/status")
        return found

    def about(self) -> dict[str, Any]:
        """Which process and store it is: ``pid version store``."""
        found: dict[str, Any] = self._json("GET", "/v1/health/live", timeout=CONNECT_SECONDS)
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _json(self, method: str, path: str, **about: Any) -> Any:
        import httpx
        import msgspec

        try:
            response = self._http.request(method, self.address + path, **about)
        except httpx.HTTPError as error:
            raise UnreachableError(self.address, str(error) or type(error).__name__) from error
        problem = response.headers.get("content-type", "").startswith(CONTENT_TYPE)
        if response.status_code != 200 and not problem:
            raise UnreachableError(self.address, f"it answered {response.status_code} to {method} {path}")
        try:
            value = msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise UnreachableError(self.address, f"what it answered to {method} {path} is no JSON") from error
        if problem:
            raise error_of(value)
        return value


def columns_of(answer: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The columns of an answer as arrays: ``time`` datetime64[us], ``n`` int32, ``final`` bool, all others float64
    with NaN where undefined. The same values, bit for bit, that the server computed."""
    return {name: _array(name, values) for name, values in answer["columns"].items()}


def _array(name: str, values: list[Any]) -> npt.NDArray[Any]:
    if name == "time":
        return (np.array(values, dtype=np.int64) * 1000).view("datetime64[us]")
    if name in ("n", "final"):
        return np.array(values, dtype=np.int32 if name == "n" else np.bool_)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
