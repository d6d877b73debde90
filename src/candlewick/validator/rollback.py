"""rollback: a real one. V2 is made to fail under load over HTTP, and must be taken out of service by itself.

On a temporary server with a control journal of its own: V2 serves some percent of 200 simulated symbols and is well;
then it fails on every request. Timed: from its first failure until the rollout is killed. No request may be lost
meanwhile. Afterwards the percentage is 0, the journal has the evidence, V2 cannot be exposed again before the kill is
lifted, and can be thereafter.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from candlewick.validator.broken import Breakable
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.market import SYMBOLS, market_store
from candlewick.validator.result import Result, judged
from candlewick.validator.tasks import Tasks
from candlewick.validator.temporary_server import served

if TYPE_CHECKING:
    import httpx

NAME = "rollback"
PERCENT = 10.0
CLIENTS = 4
LEAST_WELL = 5
PATIENCE = 20.0
WHY = "candlewick validate: rollback"


def run(context: Context) -> Result:
    """``measured``: seconds from V2's first failure to the kill."""
    profile, tasks = context.profile, Tasks()
    url = market_store(context)
    control = context.file("rollback-control.sqlite")
    with context.application(url) as plain:
        engine = Breakable(plain.optimized)
        with (
            _expected(),
            context.application(url, control, optimized=engine) as built,
            served(built, context.serve) as client,
            _Load(client, profile.rate) as load,
        ):
            _exposed(tasks, client, PERCENT, 200)
            context.progress(f"{NAME}: V2 is well")
            load.serve(profile.well_seconds)
            tasks.expect(not _status(client)["killed"], "a healthy V2 stays")
            well = load.arms["optimized"]
            tasks.expect(well >= LEAST_WELL, "V2 serves its share", well)
            context.progress(f"{NAME}: V2 fails")
            engine.broken.set()
            seconds = _until_killed(client, time.monotonic(), profile.rollback_seconds)
            load.stop()
            status = _status(client)
            tasks.expect(bool(status["killed"]), f"killed within {profile.rollback_seconds:g} s", status)
            tasks.expect(float(status["percentage"]) == 0.0, "the percentage is 0", status["percentage"])
            tasks.expect(not load.lost, "no request is lost", dict(load.lost))
            if status["killed"]:
                _after(tasks, client, built, engine)
    kills = [one for one in context.journalled(control) if one.what == "kill"]
    tasks.expect(len(kills) == 1 and bool(kills[0].evidence), "the journal has the kill with its evidence")
    measured = round(seconds, 2)
    evidence: dict[str, Any] = {
        "unit": "seconds from V2's first failure to the kill",
        "percentage": PERCENT,
        "symbols": len(SYMBOLS),
        "requests_per_second": profile.rate,
        "requests": load.arms.total() + load.lost.total(),
        "answered_by_arm": dict(load.arms),
        "fallbacks": load.fallbacks,
        "v2_failures": engine.failed,
        "lost": dict(load.lost),
        "why": kills[0].why if kills else "",
        "expectations": tasks.done,
        "missed": tasks.missed[:5],
    }
    return judged(NAME, not tasks.missed, measured, profile.rollback_seconds, evidence, tasks.reason())


@contextmanager
def _expected() -> Iterator[None]:
    """The rollback is what is wanted here: its log line is no alarm for a reader without logging of his own."""
    quiet, log = logging.NullHandler(), logging.getLogger("candlewick.delivery")
    log.addHandler(quiet)
    try:
        yield
    finally:
        log.removeHandler(quiet)


class _Load:
    """Requests at an even rate over every symbol, from several clients, until ``stop``."""

    def __init__(self, client: httpx.Client, rate: float) -> None:
        self._client, self._gap = client, CLIENTS / rate
        self._ended = threading.Event()
        self._numbers = count()
        self._pool = ThreadPoolExecutor(CLIENTS, thread_name_prefix="load")
        self.arms: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.fallbacks = 0
        self._lock = threading.Lock()

    def __enter__(self) -> _Load:
        for place in range(CLIENTS):
            self._pool.submit(self._run, place * self._gap / CLIENTS)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def serve(self, seconds: float) -> None:
        """Let it go on for so long, and until V2 has answered some requests; PATIENCE more at most."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds + PATIENCE:
            if passed >= seconds and self.arms["optimized"] >= LEAST_WELL:
                return
            time.sleep(0.02)

    def stop(self) -> None:
        """End the load; what was sent is answered first."""
        self._ended.set()
        self._pool.shutdown()

    def _run(self, delay: float) -> None:
        due = time.monotonic() + delay
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            self._ask(SYMBOLS[next(self._numbers) % len(SYMBOLS)])
            due += self._gap

    def _ask(self, symbol: str) -> None:
        import httpx

        try:
            given = self._client.get(f"/v1/candles/{symbol}", params={"timeframe": "15m", "indicators": "sma(5)"})
            outcome = "" if given.status_code == 200 else f"status {given.status_code}"
        except httpx.HTTPError as error:
            outcome = type(error).__name__
        with self._lock:
            if outcome:
                self.lost[outcome] += 1
            else:
                self.arms[given.headers.get("X-Candlewick-Arm", "unknown")] += 1
                self.fallbacks += given.headers.get("X-Candlewick-Fallback") == "true"


def _exposed(tasks: Tasks, client: httpx.Client, percent: float, status: int) -> None:
    given = client.put("/v1/flags", json={"name": "rollout_percentage", "value": percent, "why": WHY})
    tasks.expect(given.status_code == status, f"setting {percent:g}% answers {status}", given.text)


def _status(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/rollout").json()
    return found


def _until_killed(client: httpx.Client, since: float, patience: float) -> float:
    """Seconds until the rollout is killed, at most ``patience``."""
    while True:
        passed = time.monotonic() - since
        if passed > patience or _status(client)["killed"]:
            return passed
        time.sleep(0.02)


def _after(tasks: Tasks, client: httpx.Client, built: Any, engine: Breakable) -> None:
    """Killed: V2 stays out until somebody lifts the kill."""
    failed = engine.failed
    for symbol in SYMBOLS[:20]:
        given = client.get(f"/v1/candles/{symbol}", params={"timeframe": "15m"})
        tasks.expect(given.json().get("engine") == "classic", "V1 answers while killed", given.text[:80])
    tasks.expect(engine.failed == failed, "V2 is asked nothing while killed")
    _exposed(tasks, client, PERCENT, 409)
    engine.broken.clear()
    built.clear(NAME, WHY)
    status = _status(client)
    tasks.expect(not status["killed"], "the kill can be lifted", status)
    tasks.expect(float(status["percentage"]) == 0.0, "lifting it exposes nobody", status["percentage"])
    _exposed(tasks, client, PERCENT, 200)


ROLLBACK = Check(NAME, 120.0, run)
