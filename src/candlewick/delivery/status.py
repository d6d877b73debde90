"""Status: the rollout as it is shown, from the journal's state and the latest report of a running server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from candlewick.delivery.snapshot import Snapshot


def rollout_status(
    snapshot: Snapshot, report: Mapping[str, Any] | None = None, process: str | None = None, age: float | None = None
) -> dict[str, Any]:
    """Plain data: the share in force, the kill, and the arms and guards of ``report``, which is ``age`` seconds old.

    ``serving``: the share that the server itself had in force when it reported; it differs where the server was started
    with other settings. ``report`` is None where no server has left one; then ``arms`` and ``guards`` are empty.
    """
    report = report or {}
    return {
        "percentage": snapshot.share,
        "killed": snapshot.killed,
        "why": snapshot.why or None,
        "since": moment(snapshot.since),
        "rollout": snapshot.rollout,
        "step": snapshot.step,
        "salt": snapshot.salt.decode(),
        "allow": sorted(snapshot.allow),
        "deny": sorted(snapshot.deny),
        "process": process,
        "age_seconds": None if age is None else round(age, 3),
        "serving": report.get("serving"),
        "problem": report.get("problem"),
        "arms": report.get("arms", {}),
        "guards": report.get("guards", {}),
    }


def moment(at: int) -> str | None:
    """Microseconds since 1970 as ISO UTC with Z; None for 0."""
    if at == 0:
        return None
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
