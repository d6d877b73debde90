"""Overload: what is least lost goes first; the rest keeps its place; health and what is remembered never wait."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from candlewick.server.lane import Limits
from candlewick.service.request import Request

PATH = "/v1/candles/AAPL?timeframe=5m"


def test_what_goes_first_and_what_keeps_its_place(serve: Any, application: Any) -> None:
    held, running = threading.Event(), threading.Event()
    slow = Request.of("AAPL", "5m", limit=77_777)
    kept = Request.of("AAPL", "1h")
    application.remembered[kept] = application.candles(kept)

    def wait(request: Request, *_: Any) -> None:
        if request == slow:
            running.set()
            held.wait(30)

    application.hooks["candles"] = wait

    async def go() -> None:
        async with serve(application, Limits(threads=1, queue=4)) as client:

            async def waiting(count: int) -> None:
                while client.serving.reads.stats()["inside"] < count:
                    await asyncio.sleep(0.005)

            tasks = [asyncio.ensure_future(client.get(f"{PATH}&limit=77777"))]
            await asyncio.to_thread(running.wait, 30)
            assert not application.busy()
            for count in (2, 3):
                tasks.append(asyncio.ensure_future(client.get(PATH)))
                await waiting(count)
            assert not application.busy(), "half of the places are taken, not more"
            tasks.append(asyncio.ensure_future(client.get(f"{PATH}&engine=optimized")))
            await waiting(4)
            assert application.busy()

            for path in (f"{PATH}&engine=optimized", "/v1/candles?symbols=AAPL&timeframe=5m&engine=optimized"):
                refused = await client.get(path)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
                assert refused.json()["type"] == "urn:candlewick:problem:overloaded"
            tasks.append(asyncio.ensure_future(client.get(f"{PATH}&engine=classic")))
            await waiting(5)
            for engine in ("auto", "classic", "optimized"):
                refused = await client.get(f"{PATH}&engine={engine}")
                assert refused.status_code == 503, "the queue is full"
            for path in ("/v1/candles/AAPL?timeframe=1h", "/health/ready", "/v1/status", "/metrics", "/v1/rollout"):
                assert (await client.get(path)).status_code == 200, path
            many = await client.get("/v1/candles?symbols=AAPL&timeframe=5m")
            assert many.json()["AAPL"]["engine"] == "classic"

            held.set()
            assert [one.status_code for one in await asyncio.gather(*tasks)] == [200] * 5
            assert not application.busy()
            assert (await client.get(f"{PATH}&engine=optimized")).status_code == 200

    asyncio.run(go())


@pytest.mark.parametrize(("threads", "queue"), [(2, 0), (2, 1), (3, 10)])
def test_pressed_is_more_than_half_of_the_queue(threads: int, queue: int) -> None:
    from candlewick.server.lane import Lane

    lane = Lane("test", threads, queue, 30)
    release = threading.Event()

    async def go() -> None:
        tasks = []
        for count in range(threads + queue):
            assert lane.pressed == (max(0, count - threads) * 2 > queue)
            tasks.append(asyncio.ensure_future(lane.run(release.wait, 30)))
            await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*tasks)

    asyncio.run(go())
    lane.close()
