"""Connection: from ``--store`` and the settings to an open store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from candlewick.errors import InputError, StoreBusyError, UnreachableError

if TYPE_CHECKING:
    from candlewick.client import Client
    from candlewick.settings import Settings
    from candlewick.store.repository import CandleRepository

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def settings_in_force() -> Settings:
    """The settings, checked, with those of ``candlewick.toml`` handed on to the rooms below."""
    from candlewick.settings import load_settings

    settings = load_settings()
    settings.export()
    return settings


def store_url(given: str | None) -> str:
    """The store named by ``--store``, else by the settings."""
    settings = settings_in_force()
    return given if given is not None else settings["store"].value or ""


def open_for_writing(given: str | None) -> CandleRepository:
    """The store, made when it is not there yet."""
    from candlewick.store.open import open_store

    return open_store(store_url(given))


def open_for_reading(given: str | None) -> CandleRepository:
    """The store, which must be there: a mistyped name must not leave a new, empty file behind.

    Raises InputError when it is not, and whatever ``open_store`` raises.
    """
    from candlewick.store.open import open_store

    url = store_url(given)
    if not is_there(url):
        raise InputError(
            "store", url, "run `candlewick ingest` or `candlewick demo` first, or give --store", "is absent"
        )
    return open_store(url)


def open_or_reach(given: str | None, *, make: bool = False) -> CandleRepository | Client:
    """The store, or the server that owns it; with ``make``, a store that is not there yet is made.

    Raises StoreBusyError, which says who holds the store, where its owner does not serve it, and what
    ``open_for_reading`` raises.
    """
    try:
        return open_for_writing(given) if make else open_for_reading(given)
    except StoreBusyError as busy:
        return reach(busy)


def reach(busy: StoreBusyError) -> Client:
    """The server that owns a store. Raises ``busy`` again where its owner serves it at no address, is on another
    machine, or something else answers there: a note may be older than who holds the store now."""
    import socket

    from stamina.instrumentation import set_on_retry_hooks

    from candlewick.client import Client
    from candlewick.store.owner import Owner

    set_on_retry_hooks(())  # the usual ones would write to standard output, which is the command's answer

    owner = Owner.read(Path(busy.url))
    if owner is None or owner.address is None or owner.host != socket.gethostname():
        raise busy
    client = Client(owner.address)
    try:
        if client.about().get("pid") == owner.pid:
            return client
    except UnreachableError as error:
        client.close()
        hangs = f"{busy.owner}, whose server does not answer: {error.reason}"
        raise StoreBusyError(busy.url, hangs) from error
    client.close()
    raise busy


def is_there(url: str) -> bool:
    """False when ``url`` names a file that does not exist yet; an address of no use is for ``open_store`` to refuse."""
    if not url.strip():
        return True
    if url.startswith("duckdb:///"):
        path = url.removeprefix("duckdb://")
        return Path(path[1:] if path[2:3] == ":" else path).exists()  # duckdb:///C:/candles.duckdb
    return bool(_SCHEME.match(url)) or Path(url).exists()
