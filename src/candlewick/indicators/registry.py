"""The indicators by name, the presets, and their text form."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable

from candlewick.errors import InputError, UnknownNameError
from candlewick.indicators.deviation import Bollinger, PercentB, StandardDeviation
from candlewick.indicators.indicator import Indicator
from candlewick.indicators.macd import MACD
from candlewick.indicators.moving_average import EMA, SMA, WMA
from candlewick.indicators.rsi import RSI
from candlewick.indicators.stochastic import Stochastic
from candlewick.indicators.true_range import ATR, TrueRange
from candlewick.indicators.vwap import VWAP

Specs = str | Indicator | Iterable[str | Indicator]
"""``"desk"``, ``"sma(9),ema(5)"``, ``Bollinger(20, 2)``, or several of them."""

REGISTRY: dict[str, type[Indicator]] = {
    cls.kind: cls
    for cls in (SMA, EMA, WMA, RSI, ATR, TrueRange, StandardDeviation, VWAP, Bollinger, PercentB, MACD, Stochastic)
}
PRESETS = {"desk": "sma(9) bollinger(20,2) vwap ema(5) ema(9) ema(50) atr(14) rsi(14)"}

_ITEM = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*(?:\(([^()]*)\))?\s*")
_EXPECTED = "write indicators as sma(9), sma(9,high), bollinger(20,2), separated by commas, or a preset such as desk"


def register(cls: type[Indicator]) -> None:
    """Add an indicator. Raises InputError when its name is taken by another one."""
    if REGISTRY.setdefault(cls.kind, cls) is not cls:
        raise InputError("indicator", cls.kind, "choose a name that is not taken", "is registered already")


def parse_indicators(specs: Specs) -> tuple[Indicator, ...]:
    """Definitions from any form of ``Specs``, in the order asked for, each once.

    Raises UnknownNameError for an indicator or preset that is not known, InputError for parameters that do not fit.
    """
    if isinstance(specs, str | Indicator):
        specs = [specs]
    found: dict[Indicator, None] = {}
    for spec in specs:
        if isinstance(spec, Indicator):
            found[spec] = None
        elif isinstance(spec, str):
            found.update(dict.fromkeys(_parse_text(spec)))
        else:
            raise InputError("indicators", spec, _EXPECTED)
    if not found:
        raise InputError("indicators", specs, _EXPECTED, "names no indicator")
    return tuple(found)


def signature_of(cls: type[Indicator]) -> str:
    """``bollinger(period=20, deviations=2.0, source=close)``: the parameters and their defaults."""
    parameters = inspect.signature(cls).parameters.values()
    shown = [p.name if p.default is p.empty else f"{p.name}={p.default}" for p in parameters]
    return f"{cls.kind}({', '.join(shown)})" if shown else cls.kind


def _parse_text(text: str) -> list[Indicator]:
    result: list[Indicator] = []
    for name, arguments in _items(text):
        result += _parse_text(PRESETS[name]) if name in PRESETS and arguments is None else [_make(name, arguments)]
    return result


def _items(text: str) -> list[tuple[str, str | None]]:
    """Names and what stands in their brackets, separated by commas or spaces."""
    place, items = 0, []
    while place < len(text):
        match = _ITEM.match(text, place)
        if match is None:
            raise InputError("indicators", text, _EXPECTED, f"cannot be read from {text[place:]!r} on")
        items.append((match[1], match[2]))
        place = match.end()
        if text[place : place + 1] == ",":
            place += 1
            if not text[place:].strip():
                raise InputError("indicators", text, _EXPECTED, "ends with a comma")
    return items


def _make(name: str, arguments: str | None) -> Indicator:
    cls = REGISTRY.get(name)
    if cls is None:
        raise UnknownNameError("indicator", name, [*REGISTRY, *PRESETS])
    given = [part.strip() for part in arguments.split(",")] if arguments and arguments.strip() else []
    fields = dataclasses.fields(cls)
    required = sum(field.default is dataclasses.MISSING for field in fields)
    if not required <= len(given) <= len(fields):
        problem = "has too few or too many parameters"
        raise InputError("indicator", f"{name}({arguments or ''})", f"write it as {signature_of(cls)}", problem)
    return cls(**{field.name: _value(part) for field, part in zip(fields, given, strict=False)})


def _value(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
