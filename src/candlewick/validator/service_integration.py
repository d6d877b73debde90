"""service_integration: both engines keep the core of the service contract over the store's series, through real HTTP.

For every copied series: the engine named in the answer, columns in the order asked for, one value for each bar, bars of
the range alone, the same question answered with the same fingerprint, a batch in the order asked with each error in its
place; the HTTP answer holds what the service itself gives. What cannot be answered is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from candlewick.clock import SystemClock
from candlewick.errors import UnknownSeriesError
from candlewick.service.answer import BAR_COLUMNS, Answer
from candlewick.service.request import Request
from candlewick.service.service import ENGINES, AnalyticsService
from candlewick.store.repository import Series
from candlewick.validator.application import Application
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.requests import timeframes_of
from candlewick.validator.result import Result, judged, unknown
from candlewick.validator.tasks import Tasks
from candlewick.validator.temporary_server import served

if TYPE_CHECKING:
    import httpx

NAME = "service_integration"
ABSENT = "no such symbol/1"


def run(context: Context) -> Result:
    """``measured``: expectations that were not met."""
    tasks, snapshot = Tasks(), context.snapshot
    if not snapshot.series:
        return unknown(NAME, 0, {"store": snapshot.extent}, "the store holds no series that could be asked about")
    with context.application(snapshot.url) as built, served(built, context.serve) as client:
        _lists(tasks, built, client, snapshot.series)
        for number, request in enumerate(_requests(snapshot.series)):
            context.progress(f"{NAME}: {number + 1} of {2 * len(snapshot.series)}")
            for name in ENGINES:
                _answers(tasks, getattr(built, name), request, client)
        _refusals(tasks, client, snapshot.series[0])
    evidence: dict[str, Any] = {
        "unit": "expectations missed",
        "store": snapshot.extent,
        "engines": list(ENGINES),
        "expectations": tasks.done,
        "missed": tasks.missed[:5],
    }
    return judged(NAME, not tasks.missed, len(tasks.missed), 0, evidence, tasks.reason())


def _requests(series: tuple[Series, ...]) -> Iterator[Request]:
    """Two of each series: its newest bars at its own timeframe, and a longer timeframe as a whole."""
    for one in series:
        late = one.last - (one.last - one.first) // 4
        yield Request.of(one.symbol, one.timeframe, "desk", start=late, source=one.timeframe)
        longer = timeframes_of(one)[-1 if one.timeframe.intraday else 0]
        yield Request.of(one.symbol, longer, "sma(3),macd(12,26,9)", source=one.timeframe)


def _lists(tasks: Tasks, built: Application, client: httpx.Client, series: tuple[Series, ...]) -> None:
    listed = client.get("/v1/symbols").json()
    keys = [(one["symbol"], one["timeframe"], one["rows"]) for one in listed]
    expected = [(one.symbol, str(one.timeframe), one.rows) for one in series]
    tasks.expect(keys == expected, "HTTP lists what is stored", keys)
    for name in ENGINES:
        tasks.expect(tuple(getattr(built, name).symbols()) == series, f"{name} lists what is stored")
    ready = client.get("/health/live")
    tasks.expect(ready.status_code == 200, "the server is alive", ready.status_code)


def _answers(tasks: Tasks, service: AnalyticsService, request: Request, client: httpx.Client) -> None:
    about = f"{service.engine}, {request.symbol} {request.timeframe}"
    request = replace(request, complete_until=SystemClock().wall())
    answer = service.candles(request)
    names = [*BAR_COLUMNS, *(column for indicator in request.indicators for column in indicator.columns)]
    tasks.expect(list(answer.columns) == names, f"{about}: columns in the order asked for", list(answer.columns))
    sizes = {len(column) for column in answer.columns.values()}
    tasks.expect(sizes == {len(answer.bars)}, f"{about}: one value for each bar", sizes)
    tasks.expect(answer.engine == service.engine, f"{about}: names its engine", answer.engine)
    tasks.expect(bool(np.all(np.diff(answer.bars.microseconds) > 0)), f"{about}: bars ascend")
    start = request.start
    inside = not isinstance(start, int) or bool(np.all(answer.bars.microseconds >= start))
    tasks.expect(inside, f"{about}: no bar before the range")
    again, absent = service.candles_many([request, Request.of(ABSENT, request.timeframe)])
    same = isinstance(again, Answer) and again.fingerprint == answer.fingerprint
    tasks.expect(same, f"{about}: the same question, the same fingerprint")
    tasks.expect(
        isinstance(absent, UnknownSeriesError), f"{about}: an absent symbol has its error in its place", absent
    )
    _over_http(tasks, about, answer, request, client)


def _over_http(tasks: Tasks, about: str, answer: Answer, request: Request, client: httpx.Client) -> None:
    parameters = {"timeframe": str(request.timeframe), "source": str(request.source), "engine": answer.engine}
    parameters["indicators"] = ",".join(indicator.text for indicator in request.indicators)
    if isinstance(request.start, int):
        parameters["start"] = f"{np.datetime64(request.start, 'us')}Z"
    given = client.get(f"/v1/candles/{quote(request.symbol, safe='')}", params=parameters)
    if not tasks.expect(given.status_code == 200, f"{about}: HTTP answers", given.text):
        return
    body = given.json()
    tasks.expect(body["engine"] == answer.engine, f"{about}: HTTP names the engine", body["engine"])
    wrong = [name for name, column in answer.columns.items() if not _same(body["columns"].get(name), column, name)]
    tasks.expect(not wrong, f"{about}: HTTP gives what the service gives", wrong)


def _same(given: Any, column: Any, name: str) -> bool:
    if given is None or len(given) != len(column):
        return False
    if name == "time":
        return bool(given == (column.astype("int64") // 1000).tolist())
    if name == "final":  # the newest bar may end between the two questions
        given, column = given[:-1], column[:-1]
    found = np.array([np.nan if value is None else value for value in given], dtype=np.float64)
    return bool(np.array_equal(found, column.astype(np.float64), equal_nan=True))


def _refusals(tasks: Tasks, client: httpx.Client, one: Series) -> None:
    path = f"/v1/candles/{quote(one.symbol, safe='')}"
    for asked, parameters, status in (
        (f"/v1/candles/{quote(ABSENT, safe='')}", {"timeframe": str(one.timeframe)}, 404),
        (path, {"timeframe": "7 parsecs"}, 400),
        (path, {"timeframe": str(one.timeframe), "indicators": "no_such_indicator(9)"}, 400),
        (path, {"timeframe": str(one.timeframe), "engine": "steam"}, 400),
    ):
        given = client.get(asked, params=parameters)
        refused = 400 <= given.status_code < 500 and (given.status_code == 404) == (status == 404)
        tasks.expect(refused, f"{asked} {parameters} is refused", given.status_code)


SERVICE_INTEGRATION = Check(NAME, 0, run)
