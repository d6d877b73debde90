"""Malformed requests without end, each known by its seed and number, as the bytes that a caller would send."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from random import Random
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as parquet

PARAMETERS = ("timeframe", "start", "end", "indicators", "engine", "source", "zero_volume", "final_only", "limit")
WORDS = (
    *(
        "5m",
        "1m",
        "0m",
        "-5m",
        "999999m",
        "1mo",
        "1d",
        "1w",
        "5",
        "",
        "desk",
        "sma(9)",
        "sma(",
        "sma(9,9,9)",
        "sma(1e9)",
    ),
    *("bollinger(20,-2)", "ema(nan)", "atr()", "rsi(14", "2024-01-02", "2024-13-45", "9999-12-31", "0001-01-01"),
    *("2024-01-02T14:30:00Z", "2024-01-02T09:30", "2024-01-02T09:30:00+99:99", "-1", "0", "1e3", "99999999999999"),
    *("true", "TRUE", "none", "auto", "classic", "optimized", "AAPL", "BTC/USD", "XNYS", "24/7", "America/New_York"),
    *("../../etc/passwd", "%00", "\0", "\r\nX-A: b", "'; drop table candles; --", "<script>", "{}", "[1]", "𝟗", "٣"),
    *("NaN", "inf", "a" * 300, "sma(2)," * 400, "x" * 9000),
)
HEADERS = (
    *("Accept", "Accept-Encoding", "If-None-Match", "X-Candlewick-Client", "Host", "Origin", "Content-Type"),
    *("Authorization", "Cookie", "Range", "Expect", "Content-Encoding", "Transfer-Encoding", "Upgrade", "X-Request-ID"),
)
VALUES = (
    *("", "*", '"', '"a", W/"b"', "*/*;q=0", "text/html", "application/json;q=2", "application/*;q=0.5", ";;;,,,"),
    *("gzip;q=0,*;q=0", "identity;q=0", "zstd, gzip", "br", "evil.example", "http://evil.example", "null", "127.0.0.1"),
    *(
        "127.0.0.1:99999",
        "[::1",
        "text/csv",
        "application/json",
        "application/x-ndjson",
        "multipart/form-data",
        "bytes=0-1",
    ),
    *("100-continue", "chunked", "Bearer cw_x_y", "Basic Og==", "a" * 3000, "\xff\xfe", "websocket", "gzip"),
)
PATHS = (
    *("/v1/candles/AAPL", "/v1/candles/BTC%2FUSD", "/v1/candles/", "/v1/candles", "/v1/symbols", "/v1/indicators"),
    *("/v1/explain", "/v1/flags", "/v1/rollout", "/v1/status", "/v1/keys", "/v1/keys/1", "/health/live", "/metrics"),
    *(
        "/docs",
        "/openapi.json",
        "/v2",
        "/",
        "//",
        "/v1/candles/%",
        "/v1/candles/%FF%FE",
        "/v1/candles/%00",
        "/v1/../v1",
    ),
    *("/v1/candles/" + "A" * 500, "/v1/candles/../flags", "*", "http://127.0.0.1/v1/symbols", "/v1/candles/AAPL/"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get", "G T")
KINDS = (
    *("text/csv", "application/x-ndjson", "application/gzip", "application/zip", "application/vnd.apache.parquet"),
    *("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file", "text/plain", "", "application/json"),
)


def request(seed: int, number: int) -> bytes:
    """Malformed request number so and so: the same for the same seed."""
    random = Random(f"{seed}.{number}")
    return random.choice(MAKERS)(random)


def _bytes(
    method: str, path: str, query: str = "", headers: list[tuple[str, str]] | None = None, body: bytes | None = None
) -> bytes:
    given = headers or []
    named = {name.casefold() for name, _ in given}
    lines = [f"{method} {path}{'?' if query else ''}{query} HTTP/1.1"]
    lines += ["Host: 127.0.0.1"] if "host" not in named else []
    lines += [f"{name}: {value}" for name, value in given]
    lines += ["Connection: close"]
    lines += [f"Content-Length: {len(body)}"] if body is not None and "content-length" not in named else []
    head = "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n"
    return head + (body or b"")


def _value(random: Random) -> str:
    if random.random() < 0.2:
        return "".join(chr(random.randrange(1, 0x2FF)) for _ in range(random.randrange(12)))
    return random.choice(WORDS)


def _query(random: Random, names: tuple[str, ...] = PARAMETERS) -> str:
    pairs = [(random.choice((*names, "colour", "")), _value(random)) for _ in range(random.randrange(5))]
    if random.random() < 0.6:
        pairs.append(("timeframe", "5m"))
    joined = "&".join(f"{name}={quote(value, safe='()+:,')}" for name, value in pairs)
    return joined + random.choice(("", "", "", "&", "&=", "&%", "&a", "#x", "%zz"))


def _asked(random: Random) -> bytes:
    path = random.choice(("/v1/candles/AAPL", "/v1/candles/BTC%2FUSD", f"/v1/candles/{quote(_value(random), safe='')}"))
    return _bytes("GET", path, _query(random))


def _many(random: Random) -> bytes:
    symbols = ",".join(random.choice(("AAPL", "BTC%2FUSD", "NO", "", "A" * 300)) for _ in range(random.randrange(5)))
    return _bytes("GET", "/v1/candles", f"symbols={symbols}&{_query(random)}")


def _explained(random: Random) -> bytes:
    return _bytes("GET", "/v1/explain", _query(random, ("symbol", "timeframe", "at", "column", "engine")))


def _elsewhere(random: Random) -> bytes:
    path = random.choice(PATHS)
    if random.random() < 0.3:
        at = random.randrange(len(path))
        path = path[:at] + random.choice(("%", "%2e", "\x7f", "é", "//", ";", "?")) + path[at:]
    return _bytes(random.choice(METHODS), path, _query(random) if random.random() < 0.5 else "")


def _headed(random: Random) -> bytes:
    headers = [(random.choice(HEADERS), random.choice(VALUES)) for _ in range(random.randrange(1, 4))]
    if random.random() < 0.1:
        headers += [(f"X-{at}", "y" * 50) for at in range(200)]
    path = random.choice(("/v1/candles/AAPL", "/v1/symbols", "/health/ready"))
    return _bytes(random.choice(("GET", "HEAD")), path, "timeframe=5m" if "candles" in path else "", headers)


def _changed(random: Random) -> bytes:
    whole = json.dumps({"name": "rollout_percentage", "value": 1, "why": "x", "role": "viewer"})
    body = random.choice(
        (
            whole.replace("1", random.choice(("[", "1e999", "-1", "null", '"a"', "{}", "NaN", "101", "true"))),
            whole[: random.randrange(len(whole))],
            "[" * random.randrange(1, 3000),
            json.dumps({random.choice(("name", "value", "why", "role", "other")): _value(random)}),
            '{"name": "\\ud800", "value": "\\ud800", "why": "\\ud800"}',
            '{"name": "max_cache_mb", "value": "𝟗", "why": "x"}',
            "\x00",
            " " * 70_000,
        )
    ).encode("utf-8", "replace")
    headers = [("Content-Type", random.choice(("application/json", "application/json; charset=x", "text/csv", "")))]
    path = random.choice(("/v1/flags", "/v1/keys", "/v1/keys/none"))
    return _bytes(random.choice(("PUT", "POST", "DELETE")), path, headers=headers, body=body)


def _stored(random: Random) -> bytes:
    kind = random.choice(KINDS)
    body = bytearray(_BODIES.get(kind, _CSV))
    for _ in range(random.randrange(4)):
        at = random.randrange(len(body)) if body else 0
        change = random.randrange(4)
        if change == 0 and body:
            body[at] = random.randrange(256)
        elif change == 1:
            del body[at:]
        elif change == 2:
            body[at:at] = random.randbytes(random.randrange(20))
        else:
            body[at:at] = random.choice((b"\n", b"\0", b'"', b",,,,", b"{", b"1e999", b"\xff", b"2024-02-30"))
    query = random.choice(("calendar=24/7", "calendar=XNYS&symbol=ACME", "calendar=24/7&symbol=ACME&timeframe=1m"))
    if random.random() < 0.3:
        query += (
            f"&{random.choice(('calendar', 'symbol', 'timezone', 'name', 'timeframe', 'x'))}={quote(_value(random))}"
        )
    headers = [("Content-Type", kind)] if kind else []
    if random.random() < 0.05:
        headers.append(("Content-Length", random.choice(("-1", "x", "99999999999", "0"))))
    return _bytes("POST", "/v1/candles", query, headers, bytes(body))


def _raw(random: Random) -> bytes:
    whole = bytearray(random.choice((_asked, _headed, _changed, _stored))(random)[:4000])
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(whole))
        if random.random() < 0.5:
            whole[at] = random.randrange(256)
        else:
            whole[at:at] = random.choice((b"\r\n", b"\n", b"\0", b" ", b":", b"HTTP/9.9", random.randbytes(8)))
    return bytes(whole)


def _chunked(random: Random) -> bytes:
    head = b"POST /v1/candles?calendar=24/7&symbol=A HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += b"Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n"
    if random.random() < 0.3:
        head += b"Content-Length: 5\r\n"
    sizes = (
        b"5\r\nabcde\r\n0\r\n\r\n",
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-1\r\na\r\n",
        b"ffffffffffffffffff\r\na\r\n",
        b"2\r\nabc\r\n0\r\n",
    )
    return head + b"\r\n" + random.choice(sizes)


def _noise(random: Random) -> bytes:
    return random.choice(
        (random.randbytes(random.randrange(1, 200)), b"\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n", b"\x16\x03\x01\x02\0")
    )


_CSV = (
    b"time,symbol,open,high,low,close,volume\n"
    b"2024-01-02T14:30:00Z,ACME,10,11,9,10,5\n2024-01-02T14:31:00Z,ACME,10,9,9,10,5\n"
)
_ROW = {"time": "2024-01-02T14:30:00Z", "symbol": "ACME", "open": 1, "high": 2, "low": 1, "close": 2, "volume": 3}


def _table() -> pa.Table:
    columns = {name: [value] * 3 for name, value in _ROW.items()}
    return pa.table(columns | {"time": pa.array([0, 60_000_000, 120_000_000], pa.timestamp("us", "UTC"))})


def _bodies() -> dict[str, bytes]:
    table = _table()
    zipped, packed, streamed, filed = (io.BytesIO() for _ in range(4))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.csv", _CSV)
    parquet.write_table(table, packed)
    with pa.ipc.new_stream(streamed, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_file(filed, table.schema) as writer:
        writer.write_table(table)
    return {
        "text/csv": _CSV,
        "application/x-ndjson": (json.dumps(_ROW) + "\n").encode() * 3,
        "application/gzip": gzip.compress(_CSV * 50, mtime=0),
        "application/zip": zipped.getvalue(),
        "application/vnd.apache.parquet": packed.getvalue(),
        "application/vnd.apache.arrow.stream": streamed.getvalue(),
        "application/vnd.apache.arrow.file": filed.getvalue(),
    }


_BODIES = _bodies()

MAKERS: tuple[Callable[[Random], bytes], ...] = (
    *(_asked, _asked, _many, _explained, _elsewhere, _headed, _headed, _changed, _stored, _stored),
    *(_raw, _chunked, _noise),
)
