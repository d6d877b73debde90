"""Routing: which engine answers a key. Pure; the same in every process, at every time, for one salt."""

from __future__ import annotations

from hashlib import blake2b

from candlewick.delivery.snapshot import DIGEST, SHIFT, Snapshot

CLASSIC, OPTIMIZED = "classic", "optimized"
"""V1 and V2, by the names that users see."""


def bucket(salt: bytes, key: str) -> int:
    """Where a key falls, 0 to 2^53 - 1: the first 8 bytes of ``blake2b(salt, 0x00, key)``, shifted right by 11."""
    digest = blake2b(salt + b"\0" + key.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
    return int.from_bytes(digest, "big") >> SHIFT


def share(snapshot: Snapshot) -> float:
    """Percent of keys that V2 answers: 0 if killed, else 100 if ``use_optimized_analytics``, else the percentage."""
    return snapshot.share


def route(snapshot: Snapshot, key: str) -> str:
    """``classic`` or ``optimized``. The kill is before the denied keys, they before the allowed, they before the share.

    A key that is enabled at some share stays enabled at any larger one, as long as the salt is the same.
    """
    if snapshot.killed or key in snapshot.deny:
        return CLASSIC
    if key in snapshot.allow:
        return OPTIMIZED
    limit = snapshot.limit
    if not limit:
        return CLASSIC
    hashed = snapshot.salted.copy()  # in half the time of hashing the salt again
    hashed.update(key.encode("utf-8", "surrogatepass"))
    return OPTIMIZED if hashed.digest() < limit else CLASSIC
