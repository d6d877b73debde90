"""Parameters: what may stand in a query for candles, as OpenAPI has it."""

from __future__ import annotations

from candlewick.server.asked import LONGEST_QUERY, LONGEST_SYMBOL
from candlewick.server.contract import header
from candlewick.server.schemas import TEXT, Schema
from candlewick.server.wanted import LONGEST_CLIENT
from candlewick.service.served import CHOICES

_FRAME: Schema = TEXT | {"pattern": "^([1-9][0-9]{0,4}[mh]|1d|1w|1mo)$"}
KINDS: dict[str, Schema] = {
    "symbol": TEXT | {"minLength": 1, "maxLength": LONGEST_SYMBOL},
    "symbols": TEXT | {"minLength": 1},
    "timeframe": _FRAME,
    "source": _FRAME,
    "start": TEXT | {"maxLength": 40},
    "end": TEXT | {"maxLength": 40},
    "as_of": TEXT | {"maxLength": 40},
    "indicators": TEXT | {"maxLength": LONGEST_QUERY},
    "engine": {"enum": list(CHOICES)},
    "zero_volume": {"enum": ["keep", "drop"]},
    "final_only": {"enum": ["true", "false"]},
    "adjusted": {"enum": ["true", "false"]},
    "limit": {"type": "integer", "minimum": 1, "maximum": 10**12 - 1},
}
EXAMPLES = {
    "symbols": "SPY,IBM",
    "timeframe": "5m",
    "start": "2024-01-02",
    "end": "2024-01-02T21:00:00Z",
    "as_of": "2024-01-03T09:00:00Z",
    "indicators": "sma(9),bollinger(20,2)",
}
CLIENT_HEADER = header(
    "X-Candlewick-Client",
    "Routing key of the caller, where the rollout routes by client.",
    TEXT | {"minLength": 1, "maxLength": LONGEST_CLIENT},
)
