"""Answers that are remembered, over HTTP: how many a second one core gives, and how long they take at half of that.

    python bench/http_answers.py [--seconds S] [--json FILE]

Starts `candlewick serve` over a fresh DuckDB store with simulated candles, everything on V2, pinned to one core; `wrk`
(apt install wrk) on another core asks for one session of 5m bars with the desk's indicators as fast as it can, then
`npx autocannon` asks at half of that rate, whatever the answers take. Ends with 1 when a goal is missed, 2 when a tool
is missing or an answer is not the one that is meant.

The last row, `bare`, is the same bytes from the HTTP server alone, with nothing of ours behind it: what there is to
reach, and, at half load, what is the caller's own.

`answers per CPU second` is what the server's own CPU time gives: on a machine that others use too it is the steadier
figure, as the rate is what the core was left for. The log of the server goes to a file, as in production.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil

from candlewick.benchmarks.machine import this_machine
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store

CONNECTIONS = 16
SESSIONS = 5
SYMBOLS = [f"SIM{at:02d}" for at in range(1, 21)]
QUERY = {"timeframe": "5m", "indicators": "desk", "start": "2024-01-08", "end": "2024-01-09"}
SHAPE = (78, 19)
"""Bars and columns of the answer that is meant."""
GOALS = {"answers_per_second": (1000.0, 3000.0), "p99_ms": (20.0, 20.0)}
"""At least, and the stretch."""
ENCODINGS = ("identity", "gzip", "zstd")


class Missing(Exception):
    """A tool that is not there, or an answer that is not the one meant."""


BARE = """
import sys
import uvicorn

body = open(sys.argv[1], "rb").read()
headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print('{\\n"address": "http://127.0.0.1:%d"\\n}' % port, flush=True)

Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False, server_header=False)).run()
"""


class Process:
    """A server process on core ``core`` that prints its address as JSON and writes its log to a file."""

    def __init__(self, command: list[str], core: int, log: Path) -> None:
        environment = os.environ | {"CANDLEWICK_USE_OPTIMIZED_ANALYTICS": "true"}
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*pinned(core), sys.executable, *command],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line.startswith("}"):
                break
        if not text:
            raise Missing("the server did not come up")
        self.address: str = json.loads(text)["address"]

    def cpu_seconds(self) -> float:
        """CPU time that the server has taken."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Resident memory."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def stop(self) -> None:
        """Tell it to stop, and wait."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def serve(folder: Path, core: int) -> Process:
    """`candlewick serve` over a fresh store in ``folder``."""
    url = f"duckdb:///{folder / 'bench.duckdb'}"
    with open_store(url) as store:
        store.upsert_many(list(simulate(SYMBOLS, "XNYS", SESSIONS, seed=7)))
    return Process(
        ["-m", "candlewick.cli.main", "serve", "--json", "--port", "0", "--store", url], core, folder / "log"
    )


def pinned(core: int) -> list[str]:
    """What a command begins with to run on one core."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def checked(address: str, path: str) -> bytes:
    """The answer, asked for until it is a remembered one; raises `Missing` when it is not the one meant."""
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        while client.get("/health/ready").status_code != 200:
            pass
        for _ in range(5):
            response = client.get(path).raise_for_status()
        answer = response.json()
        shape = len(answer["columns"]["time"]), len(answer["columns"])
        if (shape, answer["engine"], response.headers["x-candlewick-cache"]) != (SHAPE, "optimized", "hit"):
            raise Missing(f"{shape}, {answer['engine']}, {response.headers['x-candlewick-cache']}: not what is meant")
        return response.content


def saturated(served: Process, path: str, seconds: int, core: int, encoding: str) -> dict[str, Any]:
    """`wrk`: as many answers as there are."""
    if shutil.which("wrk") is None:
        raise Missing("wrk is not installed: apt install wrk")
    before = served.cpu_seconds()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-H", f"Accept-Encoding: {encoding}"]
    text = subprocess.run(
        [*pinned(core), *command, served.address + path], check=True, capture_output=True, text=True
    ).stdout
    taken = served.cpu_seconds() - before
    requests = int(_found(r"(\d+) requests in", text))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    return {
        "answers_per_second": round(float(_found(r"Requests/sec:\s+([\d.]+)", text)), 1),
        "answers_per_cpu_second": round(requests / taken, 1),
        "requests": requests,
        "failed": int(failed[1]) if failed else 0,
        "socket_errors": errors[1] if errors else None,
        "p50_ms": _milliseconds(_found(r"50%\s+(\S+)", text)),
        "p99_ms": _milliseconds(_found(r"99%\s+(\S+)", text)),
    }


def at_rate(served: Process, path: str, seconds: int, core: int, rate: int, encoding: str) -> dict[str, Any]:
    """`autocannon`: so many a second, open loop."""
    if shutil.which("npx") is None:
        raise Missing("npx is not installed: apt install npm")
    command = ["npx", "--yes", "autocannon", "--json", "-c", str(CONNECTIONS), "-d", str(seconds)]
    command += ["--overallRate", str(rate), "-H", f"accept-encoding: {encoding}", served.address + path]
    done = subprocess.run([*pinned(core), *command], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"autocannon cannot be run: {done.stderr.strip()[-200:]}")
    found = json.loads(done.stdout)
    return {
        "asked_per_second": rate,
        "answers_per_second": found["requests"]["average"],
        "failed": found["non2xx"] + found["errors"] + found["timeouts"],
        "p50_ms": found["latency"]["p50"],
        "p99_ms": found["latency"]["p99"],
        "max_ms": found["latency"]["max"],
    }


def measured(seconds: int, encodings: list[str]) -> dict[str, Any]:
    """Everything, as one JSON object."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 1]
    mine, theirs = cores[0], cores[-1]
    path = f"/v1/candles/{SYMBOLS[0]}?{urlencode(QUERY)}"
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        served = serve(Path(folder), mine)
        try:
            body = checked(served.address, path)
            for encoding in encodings:
                rows[encoding] = _row(served, path, seconds, theirs, encoding)
            memory = served.memory_mb()
        finally:
            served.stop()
        answer = Path(folder) / "answer.json"
        answer.write_bytes(body)
        bare = Process(["-c", BARE, str(answer)], mine, Path(folder) / "log")
        try:
            rows["bare"] = _row(bare, path, seconds, theirs, "identity")
        finally:
            bare.stop()
    return {
        "machine": this_machine().as_dict(),
        "request": path,
        "connections": CONNECTIONS,
        "seconds": seconds,
        "one_core_each": len(cores) > 1 and bool(pinned(mine)),
        "server_memory_mb": round(memory, 1),
        "encodings": rows,
        "goals": _goals(rows[encodings[0]]),
    }


def _row(served: Process, path: str, seconds: int, core: int, encoding: str) -> dict[str, Any]:
    full = saturated(served, path, seconds, core, encoding)
    half = at_rate(served, path, seconds, core, max(1, round(full["answers_per_second"] / 2)), encoding)
    return {"saturation": full, "half_load": half}


def table(result: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| encoding | answers/s | per CPU second | failed | p99 full, ms | half load/s | p50, ms | p99, ms | max, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in result["encodings"].items():
        full, half = row["saturation"], row["half_load"]
        cells = [name, full["answers_per_second"], full["answers_per_cpu_second"], full["failed"] + half["failed"]]
        cells += [full["p99_ms"], half["answers_per_second"], half["p50_ms"], half["p99_ms"], half["max_ms"]]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    met = ", ".join(
        f"{one['name']} {one['figure']} (at least {one['goal']:g}: {'met' if one['met'] else 'missed'}; "
        f"stretch {one['stretch']:g}: {'met' if one['stretched'] else 'missed'})"
        for one in result["goals"]
    )
    return "\n".join([*lines, "", met, ""])


def _goals(row: dict[str, Any]) -> list[dict[str, Any]]:
    rate, slow = row["saturation"]["answers_per_second"], row["half_load"]["p99_ms"]
    failed = row["saturation"]["failed"] + row["half_load"]["failed"]
    least, stretch = GOALS["answers_per_second"]
    most, _ = GOALS["p99_ms"]
    return [
        _goal("answers a second", rate, least, stretch, rate >= least, rate >= stretch),
        _goal("p99 at half load, ms", slow, most, most, slow <= most, slow <= most),
        _goal("failed", failed, 0, 0, failed == 0, failed == 0),
    ]


def _goal(name: str, figure: float, goal: float, stretch: float, met: bool, stretched: bool) -> dict[str, Any]:
    return {"name": name, "figure": figure, "goal": goal, "stretch": stretch, "met": met, "stretched": stretched}


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise Missing(f"wrk said something else than was expected:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return round(float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit], 3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="of each run")
    parser.add_argument("--json", type=Path, default=None, help="where the figures go, such as bench/results/http.json")
    parser.add_argument("--encodings", nargs="+", choices=ENCODINGS, default=["identity", "gzip"])
    given = parser.parse_args()
    try:
        result = measured(given.seconds, given.encodings)
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(result))
    return 0 if all(one["met"] for one in result["goals"]) else 1


if __name__ == "__main__":
    sys.exit(main())
