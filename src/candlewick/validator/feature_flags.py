"""feature_flags: set over HTTP, read back, in force at once, found in the audit journal; bad values refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.market import SYMBOLS, market_store
from candlewick.validator.result import Result, judged
from candlewick.validator.tasks import Tasks
from candlewick.validator.temporary_server import served

if TYPE_CHECKING:
    import httpx

NAME = "feature_flags"
WHY = "candlewick validate: feature_flags"
EIGHT = (
    "use_optimized_analytics",
    "cache_enabled",
    "concurrency_enabled",
    "rollout_percentage",
    "fallback_to_v1_on_error",
    "detailed_metrics",
    "max_cache_mb",
    "worker_pool_size",
)
SETTINGS: tuple[tuple[str, Any], ...] = (
    ("rollout_percentage", 12.5),
    ("rollout_percentage", 0.0),
    ("concurrency_enabled", False),
    ("concurrency_enabled", True),
    ("max_cache_mb", 256),
    ("detailed_metrics", False),
)
"""Set one after the other and read back."""
BAD: tuple[tuple[str, Any], ...] = (
    ("rollout_percentage", 150),
    ("rollout_percentage", -1),
    ("rollout_percentage", "many"),
    ("max_cache_mb", -5),
    ("worker_pool_size", 0),
    ("cache_enabled", "perhaps"),
    ("no_such_flag", True),
)
"""Values and names of no use: each must be refused, and change nothing."""


def run(context: Context) -> Result:
    """``measured``: expectations that were not met."""
    tasks = Tasks()
    context.progress(f"{NAME}: setting, reading back, refusing")
    control = context.file("flags-control.sqlite")
    url = market_store(context)
    with context.application(url, control) as built, served(built, context.serve) as client:
        before = _values(client)
        for name in EIGHT:
            tasks.expect(name in before, f"there is a flag {name}")
        for name, value in SETTINGS:
            _set(tasks, client, name, value)
        for name, value in BAD:
            _refused(tasks, client, name, value)
        _switches(tasks, client)
    _audited(tasks, context, control)
    evidence: dict[str, Any] = {
        "unit": "expectations missed",
        "flags": len(before),
        "set": len(SETTINGS),
        "refused": len(BAD),
        "expectations": tasks.done,
        "missed": tasks.missed[:5],
    }
    return judged(NAME, not tasks.missed, len(tasks.missed), 0, evidence, tasks.reason())


def _set(tasks: Tasks, client: httpx.Client, name: str, value: Any) -> None:
    given = client.put("/v1/flags", json={"name": name, "value": value, "why": WHY})
    tasks.expect(given.status_code == 200, f"{name} can be set to {value!r}", given.text)
    found = _values(client).get(name)
    tasks.expect(found == value, f"{name} is {value!r} when read back", found)


def _refused(tasks: Tasks, client: httpx.Client, name: str, value: Any) -> None:
    before = _values(client)
    given = client.put("/v1/flags", json={"name": name, "value": value, "why": WHY})
    tasks.expect(400 <= given.status_code < 500, f"{name} = {value!r} is refused", given.status_code)
    tasks.expect(name in given.text, f"the refusal of {value!r} names {name}", given.text)
    tasks.expect(_values(client) == before, f"refusing {name} = {value!r} changes nothing")


def _switches(tasks: Tasks, client: httpx.Client) -> None:
    """``cache_enabled`` is in force from the next request on."""
    for enabled in (True, False, True):
        _set(tasks, client, "cache_enabled", enabled)
        outcomes = [_cache(client) for _ in range(3)]
        words = f"cache_enabled {enabled} is in force at once"
        tasks.expect((outcomes[-1] == "hit") == enabled, words, outcomes)


def _audited(tasks: Tasks, context: Context, control: Any) -> None:
    entries = [one for one in context.journalled(control) if one.what == "set"]
    written = [(one.name, one.new) for one in entries]
    for name, value in SETTINGS:
        tasks.expect((name, value) in written, f"the journal has {name} = {value!r}")
    told = all(one.why == WHY and one.who and one.at > 0 for one in entries)
    tasks.expect(told, "the journal says who, when and why")
    for name, value in BAD:
        tasks.expect((name, value) not in written, f"the journal does not have {name} = {value!r}")


def _values(client: httpx.Client) -> dict[str, Any]:
    import httpx

    try:
        found = client.get("/v1/flags")
    except httpx.TransportError:  # a server that met a defect closes the connection: on a new one it says how it is
        found = client.get("/v1/flags")
    return {one["name"]: one["value"] for one in found.json()}


def _cache(client: httpx.Client) -> str:
    parameters = {"timeframe": "5m", "indicators": "sma(9)", "engine": "optimized"}
    return str(client.get(f"/v1/candles/{SYMBOLS[0]}", params=parameters).headers.get("X-Candlewick-Cache"))


FEATURE_FLAGS = Check(NAME, 0, run)
