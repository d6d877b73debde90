"""Adjustable: an engine with a cache and a pool, whose sizes are flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Adjustable(Protocol):
    """An engine with a cache and a pool, as `OptimizedService` is: also one that stands in front of it."""

    def reconfigure(self, **changes: Any) -> None:
        """Change settings from the next request on."""

    def stats(self) -> Any:
        """Figures of ``cache`` and ``buffers``."""


def engine_settings(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What `Adjustable.reconfigure` takes, of the flags that are about an engine."""
    return {
        "cache_enabled": bool(flags["cache_enabled"]),
        "concurrency_enabled": bool(flags["concurrency_enabled"]),
        "max_cache_mb": int(flags["max_cache_mb"]),
        "workers": int(flags["worker_pool_size"]),
    }
