"""A rollout under load over HTTP: V2 healthy or with a seeded fault, and what became of it.

    python bench/rollout_trial.py failing|slow|wrong|heavy-tailed|healthy [--seconds S] [--json FILE]

200 simulated symbols, 50 requests a second, open loop. `failing`, `slow` and `wrong` start at 10% and must be rolled
back within 120 s with no request lost; `heavy-tailed` (ten symbols on which both engines fail, most of the time) and
`healthy` (1, 10, 50, 100%, each for --seconds) must never be rolled back. Ends with 1 when that does not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlencode

import httpx

RATE = 50.0
CALLERS = 32
KEPT = ("percentage", "killed", "why", "since", "step", "problem", "arms", "guards")
"""What of the rollout's status goes into the record."""
SYMBOLS = 200
LIMIT = 120.0
LAST_SESSION = "2024-01-08"
"""Each request is for today's chart, the last of five sessions stored."""
INDICATORS = "bollinger(20,2)"
"""Light, since V1 must keep up with all of it alone: it takes 10 to 15 ms of the interpreter for such a request, and
twice that for the desk set, of which it could not answer 50 a second."""


@dataclass
class Tally:
    """What the callers saw. ``seconds``: from when a request was due, so that a slow server hides nothing."""

    sent: int = 0
    answered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    engines: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: str, body: bytes, seconds: float) -> None:
        """Count one response, or what came instead of one."""
        with self.lock:
            if status != "200":
                self.refused[status] = self.refused.get(status, 0) + 1
                return
            self.answered += 1
            self.seconds.append(seconds)
            engine = body[:400].partition(b'"engine":"')[2].partition(b'"')[0].decode()
            self.engines[engine] = self.engines.get(engine, 0) + 1

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        ordered = sorted(self.seconds)
        quantile = {
            f"p{q}_ms": round(1000 * ordered[min(len(ordered) - 1, len(ordered) * q // 100)], 2) for q in (50, 95, 99)
        }
        return {"sent": self.sent, "answered": self.answered, "refused": self.refused, "engines": self.engines} | (
            quantile if ordered else {}
        )


class Load:
    """Open loop: a request every 1/RATE seconds, whatever became of the ones before; CALLERS connections."""

    def __init__(self, base: str, seed: int) -> None:
        self.tally = Tally()
        self._host = base.removeprefix("http://")
        self._seed = seed
        self._due: SimpleQueue[tuple[float, str] | None] = SimpleQueue()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(CALLERS)]
        self._clock = threading.Thread(target=self._tick)

    def __enter__(self) -> Load:
        for thread in (*self._threads, self._clock):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._clock.join()
        for _ in self._threads:
            self._due.put(None)
        for thread in self._threads:
            thread.join()

    def _tick(self) -> None:
        draw = random.Random(self._seed)
        due = time.perf_counter()
        while not self._stop.is_set():
            symbol, timeframe = f"SIM{draw.randrange(1, SYMBOLS + 1):02d}", draw.choice(["5m", "5m", "15m", "1h"])
            query = urlencode({"timeframe": timeframe, "indicators": INDICATORS, "start": LAST_SESSION})
            self._due.put((due, f"/v1/candles/{symbol}?{query}"))
            self.tally.sent += 1
            due += 1 / RATE
            time.sleep(max(0.0, due - time.perf_counter()))

    def _send(self) -> None:
        connection = HTTPConnection(self._host, timeout=30)
        while (one := self._due.get()) is not None:
            due, path = one
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
                self.tally.note(str(response.status), body, time.perf_counter() - due)
            except (OSError, HTTPException) as error:
                connection.close()
                self.tally.note(type(error).__name__, b"", 0.0)
        connection.close()


def trial(base: str, fault: str, seconds: float, stages: list[float]) -> dict[str, Any]:
    """Run the load and the stages; what was seen."""
    seen: list[dict[str, Any]] = []
    killed_after = None
    with httpx.Client(base_url=base, timeout=30.0, trust_env=False) as client, Load(base, seed=7) as load:
        time.sleep(3)
        for percentage in stages:
            before = time.monotonic()
            change = {"name": "rollout_percentage", "value": percentage, "why": f"trial {fault}"}
            client.put("/v1/flags", json=change).raise_for_status()
            while killed_after is None and time.monotonic() - before < seconds:
                time.sleep(0.25)
                if client.get("/v1/rollout").raise_for_status().json()["killed"]:
                    killed_after = time.monotonic() - before
            now = client.get("/v1/rollout").raise_for_status().json()
            seen.append({"set_to": percentage} | {name: now[name] for name in KEPT})
            if killed_after is not None:
                time.sleep(3)  # the load goes on, on V1
                break
    return {
        "fault": fault,
        "requests_per_second": RATE,
        "killed": killed_after is not None,
        "seconds_to_rollback": killed_after,
        "callers": load.tally.as_dict(),
        "stages": seen,
    }


def serve(fault: str, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The server process and its address."""
    announced = folder / "address"
    program = Path(__file__).with_name("faulty_server.py")
    process = subprocess.Popen(
        [sys.executable, str(program), fault, "--folder", str(folder), "--announce", str(announced)]
    )
    for _ in range(600):
        if announced.exists():
            return process, announced.read_text()
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("the server did not come up")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fault", choices=["failing", "slow", "wrong", "heavy-tailed", "healthy"])
    parser.add_argument("--seconds", type=float, default=None, help="of each stage")
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    bad = given.fault in ("failing", "slow", "wrong")
    stages = [10.0] if bad or given.fault == "heavy-tailed" else [1.0, 10.0, 50.0, 100.0]
    seconds = given.seconds or (LIMIT if bad else 600.0)
    with tempfile.TemporaryDirectory() as folder:
        process, base = serve(given.fault, Path(folder))
        try:
            result = trial(base, given.fault, seconds, stages)
        finally:
            process.terminate()
            process.wait(30)
    lost = result["callers"]["sent"] - result["callers"]["answered"]
    excused = result["callers"]["refused"].get("500", 0) if given.fault == "heavy-tailed" else 0
    result["lost"] = lost - excused
    result["holds"] = result["killed"] == bad and result["lost"] == 0
    text = json.dumps(result, indent=2)
    sys.stdout.write(text + "\n")
    if given.json is not None:
        given.json.write_text(text + "\n")
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
