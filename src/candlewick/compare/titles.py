"""Titles: which of our columns a title of another platform can mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from candlewick.candles import VALUES
from candlewick.errors import InputError, UnknownNameError
from candlewick.indicators import Indicator, parse_indicators
from candlewick.service.scale import definition_of
from candlewick.sources.columns import KNOWN

PERIODS = (5, 8, 9, 10, 12, 13, 14, 20, 21, 26, 30, 34, 50, 55, 89, 100, 144, 200)
USUAL: dict[str, tuple[tuple[float, ...], ...]] = {
    "sma": tuple((n,) for n in PERIODS),
    "ema": tuple((n,) for n in PERIODS),
    "wma": tuple((n,) for n in PERIODS),
    "rsi": ((14,), (7,), (9,), (21,), (2,), (5,), (10,)),
    "atr": ((14,), (7,), (10,), (20,), (21,), (5,)),
    "true_range": ((),),
    "stddev": ((20,), (14,), (10,)),
    "bollinger": ((20, 2), (20, 1), (20, 2.5), (20, 3), (10, 1.5), (10, 2), (50, 2.5), (50, 2)),
    "percent_b": ((20, 2), (20, 1), (10, 2)),
    "macd": ((12, 26, 9), (5, 35, 5), (8, 17, 9), (3, 10, 16), (6, 13, 5)),
    "stochastic": ((14, 3, 3), (14, 1, 3), (5, 3, 3), (5, 1, 3)),
    "vwap": ((),),
}
"""The definitions that are tried where a title does not say the parameters, the likeliest first."""

WORDS: tuple[tuple[str, str, str], ...] = (
    (r"rsi based ma|smoothing|volume (ma|sma)|ma volume", "", ""),
    (r"(bb|bollinger)( bands?)? (width|bandwidth)|bbw|band ?width", "bollinger", "width"),
    (r"(bb|bollinger)( bands?)? %b|%b|percent b|bbp?%b", "percent_b", ""),
    (r"\bupper\b", "bollinger", "upper"),
    (r"\blower\b", "bollinger", "lower"),
    (r"\b(basis|middle|median|mid)\b", "bollinger", "middle"),
    (r"macd signal|\bsignal( line)?\b", "macd", "signal"),
    (r"\bhist(ogram)?\b", "macd", "histogram"),
    (r"\bmacd\b", "macd", "line"),
    (r"%k\b|\bstoch(astic)? k\b|^k$", "stochastic", "k"),
    (r"%d\b|\bstoch(astic)? d\b|^d$", "stochastic", "d"),
    (r"\b(ema|exponential|moving average exponential)\b", "ema", ""),
    (r"\b(wma|weighted moving average|moving average weighted)\b", "wma", ""),
    (r"\bvwap\b|volume weighted average price", "vwap", ""),
    (r"\brsi\b|relative strength", "rsi", ""),
    (r"\batr\b|average true range", "atr", ""),
    (r"\b(tr|true range)\b", "true_range", ""),
    (r"\b(stdev|std ?dev|standard deviation|std)\b", "stddev", ""),
    (r"\b(sma|ma|moving average|simple)\b", "sma", ""),
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_PUNCTUATION = re.compile(r"[\s_\-<>.\"'()\[\],:;/]+")


@dataclass(frozen=True)
class Meaning:
    """One column of ours; ``indicator`` None: one of the bar's own."""

    column: str
    indicator: Indicator | None = None

    @property
    def part(self) -> int:
        """Which of the indicator's columns it is."""
        return 0 if self.indicator is None else self.indicator.columns.index(self.column)


@dataclass(frozen=True)
class Reading:
    """What a title can mean. ``how``: ``name`` (one of our own), ``said`` (it says one column in other words), ``kind``
    (it says what, not its parameters), ``none`` (it says nothing)."""

    how: str
    meanings: tuple[Meaning, ...]


@lru_cache(maxsize=1024)
def read_title(title: str) -> Reading:
    """What a title means."""
    plain = _PUNCTUATION.sub("", title).casefold()
    role = next((role for role in VALUES if plain in KNOWN[role]), None)
    if role is not None:
        return Reading("name", (Meaning(role),))
    try:
        return Reading("name", (meaning_of(title.strip()),))
    except UnknownNameError:
        pass
    words = " ".join(_NUMBER.sub(" ", _PUNCTUATION.sub(" ", title.casefold().replace(".", "\0"))).split()).replace(
        "\0", "."
    )
    for pattern, kind, part in WORDS:
        if re.search(pattern, words) is not None:
            return _reading(kind, part, [float(number) for number in _NUMBER.findall(title)])
    return Reading("none", tuple(everything()))


def meaning_of(column: str) -> Meaning:
    """The meaning of one of our own column names. Raises UnknownNameError."""
    return Meaning(column) if column in VALUES else Meaning(column, definition_of(column))


def everything() -> Iterator[Meaning]:
    """Every usual definition."""
    for kind, parameters in USUAL.items():
        for given in parameters:
            (indicator,) = parse_indicators(_text(kind, given))
            yield from (Meaning(column, indicator) for column in indicator.columns)


def _reading(kind: str, part: str, numbers: Sequence[float]) -> Reading:
    if not kind:
        return Reading("none", ())
    if numbers:
        try:
            (indicator,) = parse_indicators(_text(kind, numbers))
            return Reading("said", (Meaning(_column(indicator, part), indicator),))
        except InputError:
            pass  # numbers that are no parameters of this kind, such as a source or an offset
    meanings = []
    for given in sorted(USUAL[kind], key=lambda one: one[:1] != tuple(numbers[:1])):
        (indicator,) = parse_indicators(_text(kind, given))
        meanings.append(Meaning(_column(indicator, part), indicator))
    return Reading("said" if len(meanings) == 1 else "kind", tuple(meanings))


def _column(indicator: Indicator, part: str) -> str:
    return indicator.columns[indicator.parts.index(part)] if part else indicator.columns[0]


def _text(kind: str, parameters: Sequence[float]) -> str:
    given = ",".join(f"{number:g}" for number in parameters)
    return f"{kind}({given})" if given else kind
