"""Described: an indicator as plain values: how it is written, what it means, its columns and its warm-up."""

from __future__ import annotations

import dataclasses
from typing import Any

from candlewick.indicators import PRESETS, Indicator, parse_indicators
from candlewick.indicators.indicator import SOURCES
from candlewick.indicators.registry import signature_of

EXAMPLE_PERIOD = 20
"""Shown for a parameter that has no default."""


def described(cls: type[Indicator]) -> dict[str, Any]:
    """One indicator for JSON: ``name signature example columns warm_up meaning parameters sources``.

    Columns and warm-up belong to the example. ``parameters``: name and default of each, null where one must be given;
    ``sources``: the columns that it can be computed of, none where that is not for the caller to choose.
    """
    fields = dataclasses.fields(cls)
    required = [field for field in fields if field.default is dataclasses.MISSING]
    example = cls(*(EXAMPLE_PERIOD for _ in required))
    return {
        "name": cls.kind,
        "signature": signature_of(cls),
        "example": example.text,
        "columns": list(example.columns),
        "warm_up": example.warm_up,
        "meaning": cls.meaning,
        "parameters": [
            {"name": field.name, "default": None if field in required else field.default} for field in fields
        ],
        "sources": list(SOURCES) if any(field.name == "source" for field in fields) else [],
    }


def presets() -> dict[str, Any]:
    """Each preset: the indicators that it stands for, and all of their columns."""
    found = {name: (text, parse_indicators(text)) for name, text in PRESETS.items()}
    return {
        name: {"indicators": text, "columns": [column for one in made for column in one.columns]}
        for name, (text, made) in found.items()
    }
