"""A rollout under load over HTTP: V2 healthy or with a seeded fault, and what became of it.

    python bench/rollout_trial.py failing|slow|wrong|heavy-tailed|healthy [--seconds S] [--json FILE]

200 simulated symbols, 50 requests a second, open loop. `failing`, `slow` and `wrong` start at 10% and must be rolled
back within 120 s with no request lost; `heavy-tailed` (ten symbols on which both engines fail, most of the time) and
`healthy` (1, 10, 50, 100%, each for --seconds) must never be rolled back. Ends with 1 when that does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

RATE = 50.0
SYMBOLS = 200
LIMIT = 120.0
LAST_SESSION = "2024-01-08"
"""Each request is for today's chart, the last of five sessions stored."""
INDICATORS = "bollinger(20,2)"
"""Light, since V1 must keep up with all of it alone: it takes 10 to 15 ms of the interpreter for such a request, and
twice that for the desk set, of which it could not answer 50 a second."""


@dataclass
class Tally:
    """What the callers saw."""

    sent: int = 0
    answered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    engines: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def note(self, response: httpx.Response | Exception, seconds: float) -> None:
        """Count one response."""
        if isinstance(response, Exception):
            name = type(response).__name__
            self.refused[name] = self.refused.get(name, 0) + 1
            return
        if response.status_code != 200:
            name = str(response.status_code)
            self.refused[name] = self.refused.get(name, 0) + 1
            return
        self.answered += 1
        self.seconds.append(seconds)
        engine = response.content[:400].partition(b'"engine":"')[2].partition(b'"')[0].decode()
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


async def load(base: str, tally: Tally, stop: asyncio.Event, seed: int) -> None:
    """Open loop: a request every 1/RATE seconds whatever happened to the ones before."""
    draw = random.Random(seed)
    running: set[asyncio.Task[None]] = set()

    async with httpx.AsyncClient(base_url=base, timeout=30.0, limits=httpx.Limits(max_connections=64)) as client:

        async def one(symbol: str, timeframe: str) -> None:
            began = time.perf_counter()
            try:
                response: httpx.Response | Exception = await client.get(
                    f"/v1/candles/{symbol}",
                    params={"timeframe": timeframe, "indicators": INDICATORS, "start": LAST_SESSION},
                )
            except httpx.HTTPError as error:
                response = error
            tally.note(response, time.perf_counter() - began)

        next_at = time.perf_counter()
        while not stop.is_set():
            symbol = f"SIM{draw.randrange(1, SYMBOLS + 1):02d}"
            task = asyncio.create_task(one(symbol, draw.choice(["5m", "5m", "15m", "1h"])))
            running.add(task)
            task.add_done_callback(running.discard)
            tally.sent += 1
            next_at += 1 / RATE
            await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
        if running:
            await asyncio.wait(running, timeout=60)


async def status(client: httpx.AsyncClient) -> dict[str, Any]:
    """The server's rollout state."""
    found: dict[str, Any] = (await client.get("/v1/rollout")).raise_for_status().json()
    return found


async def trial(base: str, fault: str, seconds: float, stages: list[float]) -> dict[str, Any]:
    """Run the load and the stages; what was seen."""
    tally, stop = Tally(), asyncio.Event()
    seen: list[dict[str, Any]] = []
    async with httpx.AsyncClient(base_url=base, timeout=30.0) as client:
        loading = asyncio.create_task(load(base, tally, stop, seed=7))
        await asyncio.sleep(3)
        killed_after = None
        for percentage in stages:
            before = time.monotonic()
            (
                await client.put(
                    "/v1/flags", json={"name": "rollout_percentage", "value": percentage, "why": f"trial {fault}"}
                )
            ).raise_for_status()
            while time.monotonic() - before < seconds:
                await asyncio.sleep(0.25)
                now = await status(client)
                if now["killed"]:
                    killed_after = time.monotonic() - before
                    break
            seen.append({"percentage": percentage, **await status(client)})
            if killed_after is not None:
                await asyncio.sleep(3)  # the load goes on, on V1
                break
        stop.set()
        await loading
    return {
        "fault": fault,
        "killed": killed_after is not None,
        "seconds_to_rollback": killed_after,
        "callers": tally.as_dict(),
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
            result = asyncio.run(trial(base, given.fault, seconds, stages))
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
