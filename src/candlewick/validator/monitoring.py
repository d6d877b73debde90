"""monitoring: a real scrape of /metrics before and after a known number of requests; counters rise by exactly that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from candlewick.service.service import ENGINES
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.market import SYMBOLS, market_store
from candlewick.validator.result import Result, judged
from candlewick.validator.tasks import Tasks
from candlewick.validator.temporary_server import served

if TYPE_CHECKING:
    import httpx

NAME = "monitoring"
REQUESTS = "candlewick_requests_total"
ERRORS = "candlewick_request_errors_total"
RESPONSES = "candlewick_http_responses_total"
ROUTE = "/v1/candles/"
PRESENT = ("candlewick_process_resident_memory_bytes", "candlewick_request_fallbacks_total")

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
"""Value by name and labels."""


def run(context: Context) -> Result:
    """``measured``: expectations that were not met."""
    tasks, count = Tasks(), context.profile.scrape
    context.progress(f"{NAME}: two scrapes")
    url = market_store(context)
    with context.application(url) as built, served(built, context.serve) as client:
        for symbol in SYMBOLS[:2]:  # so that every counter has been written once
            _ask(client, symbol, "auto")
        first = scrape(client, tasks)
        sent = {"auto": count, **dict.fromkeys(ENGINES, count // 2)}
        for engine, number in sent.items():
            for place in range(number):
                answer = _ask(client, SYMBOLS[place % len(SYMBOLS)], engine)
                tasks.expect(answer == 200, f"a request for {engine} is answered", answer)
        absent = _ask(client, "ABSENT", "classic")
        tasks.expect(absent == 404, "a symbol that is not stored is refused", absent)
        second = scrape(client, tasks)
    answered = sum(sent.values())
    risen = {
        "requests": rise(first, second, REQUESTS),
        "answered": rise(first, second, RESPONSES, ROUTE, status="200"),
        "refused": rise(first, second, RESPONSES, ROUTE, status="404"),
    }
    tasks.expect(risen["requests"] in (answered, answered + 1), f"{answered} requests are counted", risen["requests"])
    tasks.expect(risen["answered"] == answered, f"{answered} answers are counted", risen["answered"])
    tasks.expect(risen["refused"] == 1, "1 refusal is counted", risen["refused"])
    for engine in ENGINES:
        least = sent[engine]
        found = rise(first, second, REQUESTS, engine=engine, arm="explicit")
        tasks.expect(found in (least, least + 1), f"{least} requests that named {engine} are counted", found)
    names = {name for name, _ in second}
    for name in PRESENT:
        tasks.expect(name in names, f"{name} is shown")
    evidence: dict[str, Any] = {
        "unit": "expectations missed",
        "sent": {**sent, "refused": 1},
        "risen": risen,
        "families": len(names),
        "expectations": tasks.done,
        "missed": tasks.missed[:5],
    }
    return judged(NAME, not tasks.missed, len(tasks.missed), 0, evidence, tasks.reason())


def scrape(client: httpx.Client, tasks: Tasks) -> Samples:
    """Every sample of /metrics, read as Prometheus reads it; none when it does not answer."""
    from prometheus_client.parser import text_string_to_metric_families

    given = client.get("/metrics")
    if not tasks.expect(given.status_code == 200, "/metrics answers 200", given.status_code):
        return {}
    return {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for family in text_string_to_metric_families(given.text)
        for sample in family.samples
    }


def rise(first: Samples, second: Samples, name: str, route: str = "", **labels: str) -> float:
    """How much the counters of this name that have these labels, and a route that begins so, grew together."""
    wanted = set(labels.items())
    named = [key for key in second if key[0] == name and wanted <= key[1]]
    chosen = [key for key in named if dict(key[1]).get("route", "").startswith(route)]
    return sum(second[key] - first.get(key, 0.0) for key in chosen)


def _ask(client: httpx.Client, symbol: str, engine: str) -> int:
    given = client.get(
        f"/v1/candles/{quote(symbol, safe='')}", params={"timeframe": "5m", "indicators": "sma(9)", "engine": engine}
    )
    return given.status_code


MONITORING = Check(NAME, 0, run)
