"""Health, metrics and status; they never wait behind requests."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from candlewick.errors import StoreError
from candlewick.server.lane import Limits


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_health_has_both_addresses(ask, application, prefix):
    alive = ask("GET", f"{prefix}/health/live").json()
    assert (alive["alive"], alive["pid"], alive["store"]) == (True, os.getpid(), application.url)
    ready = ask("GET", f"{prefix}/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "reasons": [], "checks": {"store": "ok", "warm_up": "ok", "server": "ok"}}


def test_what_is_not_ready_says_why(ask, application):
    application.warm = False
    response = ask("GET", "/health/ready")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["warm_up: warming up"]
    assert ask("GET", "/health/live").status_code == 200


def test_a_store_that_fails_is_not_ready(ask, application):
    def fail():
        raise StoreError("store: gone")

    application.hooks["symbols"] = fail
    response = ask("GET", "/health/ready")
    assert (response.status_code, response.json()["reasons"]) == (503, ["store: store: gone"])


def test_a_server_that_stops_is_not_ready(serve, application):
    async def go():
        async with serve(application) as client:
            client.serving.drain()
            return await client.get("/health/ready")

    response = asyncio.run(go())
    assert (response.status_code, response.json()["reasons"]) == (503, ["server: is stopping"])


def test_health_that_does_not_answer_is_not_ready(serve, application, monkeypatch):
    monkeypatch.setattr("candlewick.server.serving.WATCH_SECONDS", 0.05)
    release = threading.Event()
    application.hooks["health"] = lambda: release.wait(30)

    async def go():
        async with serve(application) as client:
            response = await client.get("/health/ready")
            release.set()
            return response

    response = asyncio.run(go())
    assert response.status_code == 503
    assert response.json()["reasons"] == ["application: did not say within 2 s how it is"]


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_metrics_are_what_prometheus_reads(ask, application, prefix):
    ask("GET", "/v1/candles/AAPL?timeframe=5m")
    response = ask("GET", f"{prefix}/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(response.text)
        for one in family.samples
    }
    assert samples["candlewick_requests_total", (("arm", "classic"), ("engine", "classic"))] == 1
    assert samples["candlewick_cache_hits_total", ()] == 3
    assert samples["candlewick_process_resident_memory_bytes", ()] > 1e6


def test_status_is_the_server_at_a_glance(ask, application):
    ask("GET", "/v1/candles/AAPL?timeframe=5m")
    found = ask("GET", "/v1/status").json()
    assert found["pid"] == os.getpid()
    assert found["health"]["ready"] is True
    assert found["rollout"]["killed"] is False
    assert found["figures"]["cache"]["hit_ratio"] == 0.5
    assert found["windows"]["classic"]["requests"] == 1
    assert found["uptime_seconds"] >= 0


def test_a_flood_is_told_to_come_again_and_health_does_not_wait(serve, application):
    """Two requests compute, three wait; the others get 503, and health, metrics and flags answer meanwhile."""
    release, started = threading.Event(), threading.Semaphore(0)

    def slow(*_):
        started.release()
        assert release.wait(30)

    application.hooks["candles"] = slow

    async def go():
        async with serve(application, Limits(threads=2, queue=3)) as client:
            tasks = [
                asyncio.ensure_future(client.get(f"/v1/candles/AAPL?timeframe=5m&limit={1000 + at}"))
                for at in range(20)
            ]
            for _ in range(2):
                assert await asyncio.to_thread(started.acquire, timeout=30)
            done, waiting = await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 15:
                more, waiting = await asyncio.wait(waiting, timeout=30, return_when=asyncio.FIRST_COMPLETED)
                assert more
                done |= more
            seen = [(await client.get(path)).status_code for path in ("/health/ready", "/metrics", "/v1/flags")]
            release.set()
            late = await asyncio.gather(*waiting)
            return [task.result() for task in done], late, seen

    refused, answered, seen = asyncio.run(go())
    assert seen == [200, 200, 200]
    assert [one.status_code for one in refused] == [503] * 15
    assert all(one.headers["retry-after"] == "1" for one in refused)
    assert all(one.json()["type"] == "urn:candlewick:problem:overloaded" for one in refused)
    assert [one.status_code for one in answered] == [200] * 5


def test_a_request_that_takes_too_long_is_told_so(serve, application):
    release = threading.Event()
    application.hooks["candles"] = lambda *_: release.wait(30)

    async def go():
        async with serve(application, Limits(seconds=0.05)) as client:
            response = await client.get("/v1/candles/AAPL?timeframe=5m")
            release.set()
            return response

    response = asyncio.run(go())
    assert (response.status_code, response.json()["type"]) == (504, "urn:candlewick:problem:deadline")
