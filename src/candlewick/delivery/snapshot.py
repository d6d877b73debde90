"""Snapshot: everything a request is decided by, frozen, so that one request sees one state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from candlewick.delivery.entry import State
from candlewick.delivery.flags import JOURNAL, FlagValue, Value, exposed_share, keys_of

SCALE = 1 << 53
"""Buckets; a key is enabled when its bucket is below the threshold."""
DIGEST = 8
SHIFT = 8 * DIGEST - (SCALE.bit_length() - 1)
"""A bucket is a digest of so many bytes, shifted right by so many bits."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Flags in force and what follows from them.

    ``share``: percent of the keys on V2. ``threshold``: the same in ``SCALE`` units. ``step``: rises with each change
    of the share, at ``since`` (microseconds UTC). ``rollout``: rises with each new ``salt``. ``seq``: the journal's
    newest entry. ``why``: of the kill. ``limit`` and ``salted``: threshold and salt as routing compares them quickest.
    """

    flags: Mapping[str, FlagValue]
    values: Mapping[str, Value]
    killed: bool
    why: str
    share: float
    threshold: int
    allow: frozenset[str]
    deny: frozenset[str]
    salt: bytes
    rollout: int
    step: int
    since: int
    seq: int
    limit: bytes
    salted: Any = field(compare=False, repr=False)

    @property
    def exposed(self) -> bool:
        """Whether V2 answers anybody."""
        return not self.killed and (self.share > 0 or bool(self.allow))

    @property
    def sample(self) -> float:
        """The share of V2's own requests that both engines compute, so that ``shadow_sample`` of all requests are."""
        return min(1.0, float(self.values["shadow_sample"]) * 100.0 / self.share) if self.share > 0 else 1.0


def snapshot_of(state: State, base: Mapping[str, tuple[Value, str]]) -> Snapshot:
    """The journal's state over the flags at start."""
    # A newer version may have written flags that are none here.
    known = {name: value for name, value in state.flags.items() if name in base}
    values = {name: value for name, (value, _) in base.items()} | known
    origins = {name: origin for name, (_, origin) in base.items()} | dict.fromkeys(known, JOURNAL)
    share = exposed_share(values, state.killed)
    threshold = threshold_of(share)
    salt = state.salt.encode()
    return Snapshot(
        flags={name: FlagValue(name, value, origins[name]) for name, value in values.items()},
        values=values,
        killed=state.killed,
        why=state.why,
        share=share,
        threshold=threshold,
        allow=keys_of(values["rollout_allow"]),
        deny=keys_of(values["rollout_deny"]),
        salt=salt,
        rollout=state.rollout,
        step=state.step,
        since=state.since,
        seq=state.seq,
        limit=limit_of(threshold),
        salted=blake2b(salt + b"\0", digest_size=DIGEST),
    )


def stopped(snapshot: Snapshot, why: str) -> Snapshot:
    """The same, but killed."""
    return replace(snapshot, killed=True, why=why, share=0.0, threshold=0, limit=limit_of(0))


def threshold_of(share: float) -> int:
    """Percent in ``SCALE`` units."""
    return round(share / 100.0 * SCALE)


def limit_of(threshold: int) -> bytes:
    """The bytes below which a digest must be for its first 53 bits to be below the threshold; empty for none."""
    if threshold == 0:
        return b""
    return b"\xff" * (DIGEST + 1) if threshold >= SCALE else (threshold << SHIFT).to_bytes(DIGEST, "big")
