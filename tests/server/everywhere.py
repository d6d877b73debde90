"""Everywhere: a server on every address of a network namespace, and everybody at each of its doors.

Run by test_door_everywhere.py in a namespace with a cable, ``near`` and ``far``; callers take its far end into another
namespace. What was seen goes to standard output as JSON.

    python everywhere.py FOLDER NEAR_ADDRESS FAR_ADDRESS
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from candlewick.server import door
from candlewick.server.http import create_app
from candlewick.server.key_file import KeyFile
from candlewick.server.key_ring import KeyRing
from candlewick.server.logs import logging_to
from candlewick.server.roles import ROLES
from candlewick.server.run import run
from candlewick.service.request import Request
from candlewick.store.memory import MemoryStore
from candlewick.testing.small_application import SmallApplication
from conftest import filled

STAND_INS = {"symbol": "AAPL", "number": "00000000"}
NEW_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h


def places(routes: Any) -> list[tuple[str, str]]:
    """Method and address of every route, also of those inside other routers."""
    found = []
    for route in routes:
        if hasattr(route, "path"):
            path = re.sub(r"\{(\w+)[^}]*\}", lambda name: STAND_INS[name[1]], route.path)
            found += [(method, path) for method in getattr(route, "methods", None) or ["WEBSOCKET"]]
        else:
            found += places(getattr(route, "original_router", route).routes)
    return sorted(set(found))


class Everybody:
    """Callers with keys of every kind."""

    def __init__(self, address: str, keys: dict[str, str | None]) -> None:
        self.address = address
        self.keys = keys
        self.heard = bytearray()
        self._http = httpx.Client(base_url=address, trust_env=False, timeout=30)

    def status(self, who: str, method: str, path: str, **headers: str) -> int:
        """What one of them is answered."""
        key = self.keys[who]
        sent = headers | ({} if key is None else {"Authorization": f"Bearer {key}"})
        if method != "WEBSOCKET":
            response = self._http.request(method, path, headers=sent)
            self.heard += repr(response.headers).encode() + response.content
            return response.status_code
        try:
            with connect(self.address.replace("http", "ws") + path, additional_headers=sent, proxy=None):
                return 101
        except InvalidStatus as refused:
            self.heard += refused.response.headers.serialize() + (refused.response.body or b"")
            return refused.response.status_code

    def ended(self, who: str, revoke: Any) -> list[str]:
        """What a stream says, by kind and reason, when its key is revoked."""
        where = f"{self.address.replace('http', 'ws')}/v1/stream?symbol=AAPL&timeframe=5m"
        with connect(where, additional_headers={"Authorization": f"Bearer {self.keys[who]}"}, proxy=None) as socket:
            said = [json.loads(socket.recv(timeout=20))["kind"]]
            revoke()
            try:
                while True:
                    told = json.loads(socket.recv(timeout=20))
                    said.append(f"{told['kind']} {told['reason']}" if "reason" in told else told["kind"])
            except ConnectionClosed as closed:
                end = closed.rcvd
                return [*said, "without a word" if end is None else f"{end.code} {end.reason}"]


class Trial:
    """One server, and what was seen at its doors."""

    def __init__(self, folder: Path) -> None:
        door.FAILED_BURST = 1e6  # here everybody fails all the time
        self.application = SmallApplication(filled(MemoryStore()))
        self.path = folder / "a.keys.sqlite"
        self.application.keys = ring = KeyRing(KeyFile(self.path, note=self.application._note))
        self.keys: dict[str, str | None] = {role: ring.create(role, role, who="me")[1] for role in ROLES}
        gone, self.keys["revoked"] = ring.create("gone", "admin", who="me")
        ring.revoke(gone.id, who="me")
        self.follower, self.follower_key = ring.create("follower", "viewer", who="me")
        self.secrets = [str(one).rpartition("_")[2] for one in (*self.keys.values(), self.follower_key)]
        self.keys |= {"nobody": None, "unknown": f"cw_00000000_{'0' * 64}", "malformed": "secret"}
        request = Request.of("AAPL", "5m")
        self.application.remembered[request] = self.application.candles(request)
        described = create_app(SmallApplication(MemoryStore()))
        self.places = [*places(described.routes), ("GET", "/v1/candles/AAPL?timeframe=5m")]
        self.places += [("HEAD", "/v1/candles/AAPL?timeframe=5m"), ("GET", "/nothing"), ("OPTIONS", "/")]
        self.answers: list[list[Any]] = []
        self.origins: list[list[Any]] = []
        self.heard = b""

    def everybody(self, address: str, some: Iterable[str] = ()) -> None:
        """Try every place as everybody, or as some of them."""
        callers = Everybody(address, self.keys)
        for who in some or self.keys:
            before = self._state()
            self.answers += [[address, who, *place, callers.status(who, *place)] for place in self.places]
            if who not in ("admin", "ingest", "operator"):
                assert self._state() == before
        for place in self.places:
            self.origins.append([*place, callers.status("admin", *place, Origin="https://evil.example")])
        self.application.hooks["symbols"] = _leaking(self.keys["viewer"])
        callers.status("viewer", "GET", "/v1/symbols")
        del self.application.hooks["symbols"]
        self.heard += callers.heard

    def revoked_meanwhile(self, address: str) -> dict[str, Any]:
        """A stream's end when another process revokes its key, and a request after it."""
        with KeyFile(self.path, note=self.application._note) as beside:
            caller = Everybody(address, {"follower": self.follower_key})
            said = caller.ended("follower", lambda: beside.revoke(self.follower.id, who="me"))
            return {"stream": said, "after": caller.status("follower", "GET", "/v1/symbols")}

    def _state(self) -> tuple[int, int]:
        return self.application.store.count("AAPL", "1m"), len(self.application.journal)


def main(folder: Path, near: str, far: str) -> dict[str, Any]:
    trial = Trial(folder)
    found: dict[str, Any] = {"errors": []}
    left, arrived, serving = threading.Event(), threading.Event(), threading.Event()
    there: list[int] = []
    addresses: list[str] = []

    def from_afar() -> None:
        """In a network namespace of this thread's own, reached by the cable alone."""
        assert ctypes.CDLL(None).unshare(NEW_NETWORK) == 0
        there.append(threading.get_native_id())
        left.set()
        assert arrived.wait(30)
        for words in (f"addr add {far}/24 dev far", "link set far up"):
            subprocess.run(["ip", *words.split()], check=True)
        assert serving.wait(60)
        address = addresses[0].replace("127.0.0.1", near)
        trial.everybody(address)
        found.update(trial.revoked_meanwhile(address))

    def from_here() -> None:
        afar.join()
        trial.everybody(addresses[0], ("nobody", "revoked", "viewer"))

    def told(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - the main thread serves, and is told of it in the end
            found["errors"].append(traceback.format_exc())

    def all_of_it() -> None:
        assert serving.wait(60)
        told(from_here)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    def ready(address: str) -> None:
        addresses.append(address)
        serving.set()

    with (folder / "log").open("w", encoding="utf-8") as file, logging_to(file, "debug") as logs:
        afar = threading.Thread(target=told, args=(from_afar,))
        afar.start()
        threading.Thread(target=all_of_it).start()
        assert left.wait(30)
        subprocess.run(["ip", "link", "set", "far", "netns", str(there[0])], check=True)
        arrived.set()
        run(trial.application, "0.0.0.0", 0, ready=ready, log=logs.request)
    (folder / "heard").write_bytes(trial.heard)
    (folder / "journal").write_text(repr(trial.application.journal), encoding="utf-8")
    (folder / "title").write_bytes(Path("/proc/self/cmdline").read_bytes())
    return found | {
        "places": trial.places,
        "answers": trial.answers,
        "origins": trial.origins,
        "secrets": trial.secrets,
    }


def _leaking(key: str | None) -> Any:
    def failing(*_: Any) -> None:
        raise RuntimeError(f"a defect that speaks of {key}")

    return failing


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), *sys.argv[2:]), sys.stdout)
