"""Flags in force: from the journal, else the environment, else ``candlewick.toml``, else the default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from candlewick.definitions import FLAGS, Value, find_flag

__all__ = ["FLAGS", "FlagValue", "Value", "default_flags", "exposed_share", "find_flag", "keys_of"]

JOURNAL = "control journal"


@dataclass(frozen=True)
class FlagValue:
    """A flag's value in force. ``origin``: ``control journal``, ``environment CANDLEWICK_X``, ``candlewick.toml`` or
    ``default``."""

    name: str
    value: Value
    origin: str


def default_flags() -> dict[str, tuple[Value, str]]:
    """Every flag with its default, in the form that ``Settings.flags()`` gives."""
    return {name: (one.default, "default") for name, one in FLAGS.items()}


def exposed_share(values: Mapping[str, Value], killed: bool) -> float:
    """Percent of keys that V2 answers: 0 if killed, else 100 if ``use_optimized_analytics``, else the percentage."""
    if killed:
        return 0.0
    return 100.0 if values["use_optimized_analytics"] else float(values["rollout_percentage"])


def keys_of(text: Value) -> frozenset[str]:
    """The keys of a comma-separated list."""
    return frozenset(key for key in str(text).split(",") if key)
