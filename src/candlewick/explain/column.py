"""Column: from the name of a column alone back to what defines it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from types import MappingProxyType

from candlewick.engine.catalogue import catalogue
from candlewick.errors import InputError, UnknownNameError
from candlewick.explain.explanation import Definition
from candlewick.indicators import MACD, PRESETS, Indicator, Stochastic, parse_indicators
from candlewick.indicators.indicator import SOURCES
from candlewick.indicators.registry import signature_of
from candlewick.service.answer import BAR_COLUMNS
from candlewick.service.scale import definition_of

BARS = {
    "open": "open of the bar's first candle",
    "high": "largest high of the bar's candles",
    "low": "smallest low of the bar's candles",
    "close": "close of the bar's last candle",
    "volume": "sum of the volumes of the bar's candles",
    "n": "number of the bar's candles",
}
"""The columns of a bar that are made of its candles."""
FOLLOWS = (
    "A candle belongs to the bar whose bucket holds its open. Buckets begin at each trading period's open and are cut "
    "at its close; candles outside of sessions are in no bar."
)
LONGEST = 200
"""Characters of a column's name that are looked at."""
EXAMPLE_PERIOD = 20


@dataclass(frozen=True)
class Column:
    """A column and the indicator behind it; None for a column of the bars themselves."""

    name: str
    indicator: Indicator | None

    @classmethod
    def of(cls, name: str) -> Column:
        """``bollinger_20_2p5_upper`` and what it means. Raises UnknownNameError with the nearest, InputError."""
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
            raise InputError("column", name, "give the name of one column, such as sma_9 or close")
        if name in BARS:
            return cls(name, None)
        if name in BAR_COLUMNS:
            raise InputError("column", name, f"every explanation says it; give {', '.join(BARS)} or an indicator's")
        try:
            return cls(name, definition_of(name))
        except UnknownNameError as error:
            raise UnknownNameError("column", name, _known(name), expected=_form(name)) from error

    @property
    def needed(self) -> int:
        """Bars, this one included, before this column has a value: fewer than the warm-up where parts differ."""
        match self.indicator:
            case None:
                return 1
            case MACD(slow=slow) if self.name.endswith("_line"):
                return slow
            case Stochastic(period=n, smooth=smooth) if self.name.endswith("_k"):
                return n + smooth - 1
        return self.indicator.warm_up + 1

    @property
    def definition(self) -> Definition:
        """What is told of it."""
        one = self.indicator
        if one is None:
            nothing: dict[str, float | str] = {}
            return Definition(self.name, "bar", None, MappingProxyType(nothing), (self.name,), BARS[self.name], FOLLOWS)
        parameters = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
        part = one.parts[one.columns.index(self.name)] if one.parts else None
        reads = tuple(name for name in one.reads if name != "anchor")
        return Definition(one.text, one.kind, part, MappingProxyType(parameters), reads, one.meaning, _follows(one))


def example(cls: type[Indicator]) -> Indicator:
    """An indicator of this kind with its defaults, and ``EXAMPLE_PERIOD`` where there are none."""
    return cls(*(EXAMPLE_PERIOD for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING))


def _follows(one: Indicator) -> str:
    """The class's docstring on one line, unless it is only the signature that dataclasses write themselves."""
    text = " ".join((type(one).__doc__ or "").replace("``", "").split())
    return one.meaning if not text or text.startswith(f"{type(one).__name__}(") else text


def _known(name: str) -> list[str]:
    """Names that might have been meant: those of the indicator that the name spells in another way, else bars' columns,
    the presets', each kind's by default, and those with as many of the name's parameters as fit, of every source."""
    found = dict.fromkeys(BARS)
    ones = [one for text in PRESETS.values() for one in parse_indicators(text)]
    for cls in catalogue().values():
        pieces = re.findall(r"\d[0-9p.]*|[a-z]+", name.removeprefix(cls.kind)) if name.startswith(cls.kind) else []
        values = [piece.replace("p", ".") if piece[0].isdigit() else piece for piece in pieces]
        for count in range(len(values), 0, -1):
            one = _made(cls, values[:count])
            if one is not None and count == len(values):
                return list(one.columns)
            if one is not None:
                own = dataclasses.asdict(one)
                ones += [one, *(cls(**own | {"source": source}) for source in SOURCES if "source" in own)]
                break
        ones.append(example(cls))
    for one in ones:
        found |= dict.fromkeys(one.columns)
    return list(found)


def _made(cls: type[Indicator], values: list[str]) -> Indicator | None:
    try:
        return parse_indicators(f"{cls.kind}({','.join(values)})")[0]
    except InputError:
        return None


def _form(name: str) -> str:
    """How columns of the kind that was meant are written, where that can be told."""
    for cls in catalogue().values():
        if name.startswith(cls.kind):
            columns = ", ".join(example(cls).columns)
            return f"{signature_of(cls)} has columns such as {columns}, with 2.5 written 2p5"
    return "give a column such as sma_9, bollinger_20_2_upper or close"
