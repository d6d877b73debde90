"""Schemas: what the server's JSON looks like, each with an example, as OpenAPI has it."""

from __future__ import annotations

from typing import Any

from candlewick.server.asked import LONGEST_SYMBOL
from candlewick.server.roles import ROLES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
OPEN: Schema = {"type": "object", "additionalProperties": True}
"""An object whose members are told in its description: they depend on what is looked at."""


def either(*kinds: str) -> Schema:
    """A value of one of several types, such as ``number`` or ``null``."""
    return {"type": list(kinds)}


def ref(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Schema) -> Schema:
    """A list of such values."""
    return {"type": "array", "items": items}


def thing(required: dict[str, Schema], optional: dict[str, Schema] | None = None, **about: Any) -> Schema:
    """An object with these members and no others, unless ``additionalProperties`` says so."""
    properties = required | (optional or {})
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    } | about


EXAMPLE_ANSWER = {
    "symbol": "SPY",
    "timeframe": "5m",
    "source": "1m",
    "engine": "optimized",
    "revision": 12,
    "fingerprint": "5df5971e9560e3c86f2046bdaf4abde6",
    "columns": {
        "time": [1704205800000, 1704206100000],
        "open": [472.16, 472.43],
        "high": [472.65, 472.9],
        "low": [471.98, 472.31],
        "close": [472.44, 472.81],
        "volume": [1204331.0, 911204.0],
        "n": [5, 5],
        "final": [True, True],
        "sma_2": [None, 472.625],
    },
}

EXAMPLE_PROBLEM = {
    "type": "urn:candlewick:problem:unknown-series",
    "title": "Not in the store",
    "status": 404,
    "detail": "symbol: 'SPX' is not in the store; nearest: SPY",
    "parameter": "symbol",
    "value": "SPX",
    "nearest": ["SPY"],
}

_KEY: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "role": {"enum": list(ROLES)},
    "created": TEXT,
    "revoked": either("string", "null"),
    "used": either("string", "null"),
}
_KEY_EXAMPLE = {
    "id": "0f1e2d3c",
    "name": "desk-7",
    "role": "viewer",
    "created": "2024-01-02T14:30:00Z",
    "revoked": None,
    "used": None,
}
_INDICATOR_EXAMPLE = {
    "name": "sma",
    "signature": "sma(period, source=close)",
    "example": "sma(20)",
    "columns": ["sma_20"],
    "warm_up": 19,
    "meaning": "simple moving average",
    "parameters": [{"name": "period", "default": None}, {"name": "source", "default": "close"}],
    "sources": ["open", "high", "low", "close", "volume"],
}
_NUMBERS = listed(either("number", "null"))

SCHEMAS: dict[str, Schema] = {
    "Answer": thing(
        {
            "symbol": TEXT | {"minLength": 1, "maxLength": LONGEST_SYMBOL},
            "timeframe": TEXT,
            "source": TEXT | {"description": "The stored timeframe that the bars are made of."},
            "engine": {"enum": ["classic", "optimized"]},
            "revision": WHOLE | {"description": "Of the last write at or before the answer's end.", "minimum": 0},
            "fingerprint": TEXT | {"pattern": "^[0-9a-f]{32}$", "description": "Equal fingerprints, equal columns."},
            "columns": thing(
                {
                    "time": listed(WHOLE) | {"description": "Opens of the bars, milliseconds since 1970 in UTC."},
                    **{name: listed(NUMBER) for name in ("open", "high", "low", "close", "volume")},
                    "n": listed(WHOLE) | {"description": "Source candles in each bar."},
                    "final": listed(TRUTH) | {"description": "False while a bar can still change."},
                },
                additionalProperties=_NUMBERS,
                description="Then the indicators, in the order asked for, by column name; undefined is null.",
            ),
        },
        example=EXAMPLE_ANSWER,
    ),
    "Problem": thing(
        {
            "type": TEXT | {"description": "urn:candlewick:problem:KIND, or about:blank."},
            "title": TEXT,
            "status": WHOLE | {"minimum": 400, "maximum": 599},
            "detail": TEXT,
        },
        {
            "parameter": TEXT | {"description": "What was given that cannot be used."},
            "value": {"description": "Its value."},
            "expected": TEXT | {"description": "What would be right."},
        },
        additionalProperties=True,
        description="What went wrong (RFC 9457), and what would be right.",
        example=EXAMPLE_PROBLEM,
    ),
    "Series": thing(
        {
            "symbol": TEXT,
            "timeframe": TEXT,
            "calendar": TEXT,
            "rows": WHOLE,
            "first": TEXT,
            "last": TEXT,
            "revision": WHOLE,
            "generation": WHOLE,
        },
        example={
            "symbol": "SPY",
            "timeframe": "1m",
            "calendar": "XNYS",
            "rows": 390,
            "first": "2024-01-02T14:30:00Z",
            "last": "2024-01-02T20:59:00Z",
            "revision": 1,
            "generation": 1,
        },
    ),
    "Indicator": thing(
        {
            "name": TEXT,
            "signature": TEXT,
            "example": TEXT,
            "columns": listed(TEXT),
            "warm_up": WHOLE | {"description": "Bars of the example before every column has a value."},
            "meaning": TEXT,
            "parameters": listed(thing({"name": TEXT, "default": either("number", "string", "null")})),
            "sources": listed(TEXT) | {"description": "Columns that it can be computed of."},
        },
        example=_INDICATOR_EXAMPLE,
    ),
    "Indicators": thing(
        {
            "indicators": listed(ref("Indicator")),
            "presets": {
                "type": "object",
                "additionalProperties": thing({"indicators": TEXT, "columns": listed(TEXT)}),
            },
        },
        example={
            "indicators": [_INDICATOR_EXAMPLE],
            "presets": {"short": {"indicators": "sma(9) ema(9)", "columns": ["sma_9", "ema_9"]}},
        },
    ),
    "Ingested": thing(
        {
            "rows": WHOLE,
            "inserted": WHOLE,
            "updated": WHOLE,
            "unchanged": WHOLE,
            "duplicates": WHOLE,
            "quarantined": WHOLE,
            "off_session": WHOLE | {"description": "Stored rows outside the calendar's sessions."},
            "seconds": NUMBER,
            "symbols": listed(TEXT),
            "warnings": listed(TEXT),
        },
        description="rows = inserted + updated + unchanged + duplicates + quarantined.",
        example={
            "rows": 390,
            "inserted": 389,
            "updated": 0,
            "unchanged": 0,
            "duplicates": 0,
            "quarantined": 1,
            "off_session": 0,
            "seconds": 0.02,
            "symbols": ["SPY"],
            "warnings": [],
        },
    ),
    "Split": thing(
        {
            "symbol": TEXT,
            "time": TEXT | {"description": "From when on it holds: ISO UTC."},
            "factor": {"type": "number", "exclusiveMinimum": 0, "description": "7 where one share became seven."},
            "ratio": TEXT | {"description": "The factor as people say it."},
        },
        example={"symbol": "AAPL", "time": "2014-06-09T04:00:00Z", "factor": 7.0, "ratio": "7:1"},
    ),
    "SplitChange": thing(
        {
            "symbol": TEXT | {"minLength": 1},
            "at": TEXT | {"minLength": 1, "description": "ISO 8601 with an offset or Z, or the date of a session."},
            "factor": either("number", "string", "null") | {"description": "7, 7:1 or 1:10; null removes it."},
        },
        {"calendar": either("string", "null") | {"description": "Of a date, where the symbol is not stored."}},
        example={"symbol": "AAPL", "at": "2014-06-09", "factor": "7:1"},
    ),
    "Flag": thing(
        {
            "name": TEXT,
            "value": either("boolean", "number", "string"),
            "origin": TEXT | {"description": "default, environment, candlewick.toml, or the journal."},
        },
        example={"name": "rollout_percentage", "value": 10.0, "origin": "journal"},
    ),
    "FlagChange": thing(
        {
            "name": TEXT | {"minLength": 1, "description": "The name of a flag."},
            "value": either("boolean", "number", "string", "null") | {"description": "Its new value."},
            "why": TEXT | {"minLength": 1, "description": "A reason, for the journal."},
        },
        example={"name": "rollout_percentage", "value": 10, "why": "first step"},
    ),
    "Rollout": OPEN
    | {
        "description": "`percentage`, `killed`, `since`, and what `arms` and `guards` see.",
        "required": ["percentage", "killed", "since", "arms", "guards"],
        "example": {"percentage": 10.0, "killed": False, "since": 1704205800000000, "arms": {}, "guards": {}},
    },
    "NewKey": thing(
        {"name": TEXT | {"description": "Whose key it is."}, "role": {"enum": list(ROLES)}},
        {"why": TEXT | {"description": "A reason, for the journal."}},
        example={"name": "desk-7", "role": "viewer"},
    ),
    "Key": thing(_KEY, example=_KEY_EXAMPLE),
    "MadeKey": thing(
        _KEY | {"key": TEXT | {"description": "What to send; it is shown here only."}},
        example=_KEY_EXAMPLE | {"key": "cw_0f1e2d3c_..."},
    ),
    "Explanation": OPEN
    | {
        "description": "Definition, origin, bars and source candles, revision, calendar and kernel version, warm-up, "
        "and the value recomputed exactly with the difference and its bound. Times in ISO UTC.",
        "required": ["symbol", "column"],
        "example": {"symbol": "SPY", "column": "sma_9", "value": 472.625},
    },
    "Alive": thing(
        {"alive": {"const": True}},
        {"pid": WHOLE, "version": TEXT, "store": TEXT},
        example={"alive": True, "pid": 4711, "version": "0.3.0", "store": "duckdb:///candles.duckdb"},
    ),
    "Health": thing(
        {
            "ready": TRUTH,
            "reasons": listed(TEXT),
            "checks": {"type": "object", "additionalProperties": TEXT},
        },
        example={"ready": True, "reasons": [], "checks": {"store": "ok", "warm_up": "ok", "control": "ok"}},
    ),
    "Status": OPEN
    | {
        "description": "Health, rollout, the figures of each stage, and the windows of the arms.",
        "required": ["pid", "version", "store", "uptime_seconds", "health", "rollout", "figures", "windows"],
        "example": {
            "pid": 4711,
            "version": "0.3.0",
            "store": "duckdb:///candles.duckdb",
            "uptime_seconds": 86.2,
            "health": {"ready": True, "reasons": [], "checks": {"store": "ok"}},
            "rollout": {"percentage": 0.0, "killed": False, "since": None, "arms": {}, "guards": {}},
            "figures": {"http_requests": {"inside": 0, "room": 264}},
            "windows": {},
        },
    },
}
