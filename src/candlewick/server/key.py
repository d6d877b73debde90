"""Key: who may ask. Its secret is shown once, when it is made, and kept nowhere: a hash of it is.

The hash is one round of SHA-256. Slow hashes are for passwords, which people choose and others guess; of 256 bits by
chance nobody guesses any share, and a slow hash for each request would only serve those who send many.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

LENGTH = len("cw_") + 8 + len("_") + 64
"""Characters of a key; `candlewick.settings.KEY_FORM` is what it looks like."""


@dataclass(frozen=True)
class Key:
    """A key as the server knows it. Times are microseconds since 1970, UTC; ``used`` is that of the hour in which it
    last came in."""

    id: str
    name: str
    role: str
    digest: bytes = field(repr=False)
    created: int
    revoked: int | None = None
    used: int | None = None

    @property
    def valid(self) -> bool:
        """False once it is revoked."""
        return self.revoked is None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the hash; times to the second."""
        from candlewick.store.repository import iso

        times = {name: getattr(self, name) for name in ("created", "revoked", "used")}
        shown = {name: None if time is None else iso(time // 1_000_000 * 1_000_000) for name, time in times.items()}
        return {"id": self.id, "name": self.name, "role": self.role} | shown


def draw() -> tuple[str, str]:
    """A new id and the whole key, of 256 bits by chance."""
    number = secrets.token_hex(4)
    return number, f"cw_{number}_{secrets.token_hex(32)}"


def digest_of(key: bytes) -> bytes:
    """What is kept of a key, and compared."""
    return sha256(key).digest()


def id_of(key: bytes) -> str:
    """The id that a key says it has; it decides only with what it is compared."""
    return key[3:11].decode("latin-1")
