"""status: the server of a store, at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from candlewick.cli import options
from candlewick.errors import CandlewickError

if TYPE_CHECKING:
    from candlewick.store.owner import Owner

NOT_WELL = 1

PATIENCE = 10.0
"""Seconds for a server to say how it is: who asks wants to know whether it hangs."""


def status(json: options.Json = False, store: options.Store = None) -> None:
    """Show who holds the store, and of its server: health, rollout, cache, and the last minutes of each arm.

    Exit code 1 when there is a server that does not answer or is not ready.
    """
    from candlewick.cli.connection import store_url
    from candlewick.cli.output import print_json

    url = store_url(store)
    found = look(url)
    if json:
        print_json(found)
    else:
        typer.echo("\n".join(lines(found)))
    if found["state"] in ("unreachable", "not ready"):
        raise typer.Exit(NOT_WELL)


def look(url: str) -> dict[str, Any]:
    """``state``: ``absent`` (no store), ``free`` (nobody holds it), ``held`` (by a process that serves nobody),
    ``unreachable`` (it should serve), ``not ready`` or ``ready``; with what is known of owner and server."""
    from candlewick.cli.connection import is_there
    from candlewick.client import Client

    found: dict[str, Any] = {"store": url, "state": "absent", "owner": None, "server": None, "problem": None}
    if not is_there(url):
        return found
    owner = _owner(url)
    if owner is None:
        return found | {"state": "free"}
    found["owner"] = {"pid": owner.pid, "host": owner.host, "command": owner.command, "since": owner.since}
    if owner.address is None:
        return found | {"state": "held"}
    found["owner"]["address"] = owner.address
    try:
        with Client(owner.address, timeout=PATIENCE, retries=False) as client:
            server = client.status()
    except CandlewickError as error:
        return found | {"state": "unreachable", "problem": str(error)}
    if server["pid"] != owner.pid:
        problem = f"process {server['pid']} answers at {owner.address}, not process {owner.pid}"
        return found | {"state": "unreachable", "problem": problem}
    return found | {"state": "ready" if server["health"]["ready"] else "not ready", "server": server}


def lines(found: dict[str, Any]) -> list[str]:
    """What was found, for a reader."""
    told = [f"{found['store']}: {found['state']}"]
    owner, server = found["owner"], found["server"]
    if owner is not None:
        at = f", serves at {owner['address']}" if "address" in owner else ""
        told.append(
            f"held by process {owner['pid']} on {owner['host']} ({owner['command']}) since {owner['since']}{at}"
        )
    if found["problem"] is not None:
        told.append(found["problem"])
    if server is None:
        return told
    told.append(f"candlewick {server['version']}, up for {server['uptime_seconds']:,.0f} s")
    told += [f"not ready: {reason}" for reason in server["health"]["reasons"]]
    rollout = server["rollout"]
    killed = ", killed" if rollout.get("killed") else ""
    told.append(f"rollout: {rollout.get('percentage', 0):g}% on the optimized engine{killed}")
    cache = server["figures"].get("cache")
    if cache:
        ratio = "no look-ups yet" if cache.get("hit_ratio") is None else f"{cache['hit_ratio']:.1%} found"
        told.append(f"cache: {ratio}, {cache.get('entries', 0):,} entries, {cache.get('bytes', 0):,} bytes")
    for arm, window in server["windows"].items():
        p95 = window["latency_seconds"].get("p95")
        slow = "" if p95 is None else f", 95% within {p95 * 1000:.3g} ms"
        told.append(
            f"{arm}: {window['requests']:,} request{'' if window['requests'] == 1 else 's'} "
            f"in {window['covers_seconds']:,.0f} s, "
            f"{window['failed']:,} failed, {window['fallbacks']:,} fell back{slow}"
        )
    return told


def _owner(url: str) -> Owner | None:
    """The process that holds a store, if it still lives."""
    import socket

    import psutil

    from candlewick.store.owner import Owner

    path = _path(url)
    owner = None if path is None else Owner.read(path)
    if owner is not None and owner.host == socket.gethostname() and not psutil.pid_exists(owner.pid):
        return None
    return owner


def _path(url: str) -> Path | None:
    if url.startswith("memory:"):
        return None
    path = url.removeprefix("duckdb://") if url.startswith("duckdb:///") else url
    return Path(path[1:] if path[2:3] == ":" else path).expanduser().absolute().resolve()
