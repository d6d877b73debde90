"""Health: whether the service may be sent requests, decided from checks, each with its reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from candlewick.errors import CandlewickError

log = logging.getLogger(__name__)

Probe = Callable[[], str | None]
"""Looks at one thing: None when it is well, else the reason why it is not."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``reason`` says what is wrong; None when it is well.

    ``bearable``: requests may be sent all the same.
    """

    name: str
    reason: str | None = None
    bearable: bool = False

    @property
    def well(self) -> bool:
        """True when there is nothing to say against it."""
        return self.reason is None


@dataclass(frozen=True)
class Health:
    """``ready`` when every check is well or bearable; ``reasons`` says what is not, as ``name: reason``."""

    checks: tuple[Check, ...] = ()

    @property
    def ready(self) -> bool:
        """True when requests may be sent."""
        return all(check.well or check.bearable for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What keeps it from being ready, in the order of the checks."""
        return tuple(f"{check.name}: {check.reason}" for check in self.checks if not check.well)

    def also(self, *checks: Check) -> Health:
        """This health with further checks."""
        return Health((*self.checks, *checks))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "ready": self.ready,
            "reasons": list(self.reasons),
            "checks": {check.name: "ok" if check.reason is None else check.reason for check in self.checks},
        }


def examine(probes: Mapping[str, Probe]) -> Health:
    """The health that the probes find. A probe that raises is a check that is not well, no error of the caller."""
    return Health(tuple(_looked(probes.items())))


def _looked(probes: Iterable[tuple[str, Probe]]) -> Iterable[Check]:
    for name, probe in probes:
        try:
            yield Check(name, probe())
        except CandlewickError as error:
            yield Check(name, str(error))
        except Exception as error:  # what cannot be looked at is not well, and says why
            log.warning("the check of %s failed", name, exc_info=True)
            yield Check(name, f"cannot be checked ({type(error).__name__})")
