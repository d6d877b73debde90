"""Loopback: which names mean this machine, and whether a request asks for them.

A web page on another site can make a browser send requests to this machine under that site's name. The ``Host`` of such
a request, or its ``Origin``, is not this machine's: it is refused.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """True for localhost and the addresses of the loopback network; ``[::1]`` may have its brackets."""
    name = host.casefold().rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def objection(headers: Collection[tuple[bytes, bytes]]) -> str | None:
    """Why a request with these headers is not for this machine; None when it is."""
    hosts = [value for name, value in headers if name == b"host"]
    origins = [value for name, value in headers if name == b"origin"]
    if len(hosts) != 1 or not _of_this_machine(b"//" + hosts[0]):
        shown = ", ".join(host.decode("latin-1") for host in hosts) or "none"
        return f"Host: {shown!r} is not this machine; ask for 127.0.0.1 or localhost"
    for origin in origins:
        if not _of_this_machine(origin):
            return f"Origin: {origin.decode('latin-1')!r} is not this machine; pages of other sites may not ask"
    return None


@functools.lru_cache(maxsize=256)  # a caller names the same host in each request
def _of_this_machine(address: bytes) -> bool:
    return is_loopback(_hostname(address.decode("latin-1")))


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
