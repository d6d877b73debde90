"""Address: where a server is, and the key that it alone is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from candlewick.errors import InputError
from candlewick.server.loopback import is_loopback
from candlewick.settings import EXPECTED, KEY_FORM, secret_key

HIDDEN = "(not shown)"


@dataclass(frozen=True)
class Address:
    """``url`` has no slash at its end. ``key`` is not part of what is shown."""

    url: str
    key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, key: str | None = None) -> Address:
        """An address of HTTP, checked; without a ``key``, that of ``CANDLEWICK_KEY``.

        Raises InputError for another kind of address, one with a user or a query in it, and for a key that is not
        whole.
        """
        parts = _split(url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError("address", url, "give one such as http://127.0.0.1:8787")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise InputError("address", HIDDEN, "give scheme, host and port, and a key as key=", "says too much")
        if key is not None and not KEY_FORM.fullmatch(key):
            raise InputError("key", HIDDEN, EXPECTED["key"].replace("set the variable to", "give"), "is no whole key")
        return cls(url.rstrip("/"), secret_key() if key is None else key)

    @property
    def host(self) -> str:
        """Name or number of the machine."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, said or usual."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def secure(self) -> bool:
        """True where the server has to show a certificate."""
        return urlsplit(self.url).scheme == "https"

    @property
    def near(self) -> bool:
        """True where it is this machine: then packing costs more than it saves."""
        return is_loopback(self.host)

    @property
    def stream(self) -> str:
        """Where live bars come from."""
        return f"ws{self.url.removeprefix('http')}/v1/stream"

    @property
    def headers(self) -> dict[str, str]:
        """What shows the key."""
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}


def _split(url: object) -> SplitResult | None:
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None
