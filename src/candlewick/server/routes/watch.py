"""Watch: health, metrics and status. They run in threads of their own and never wait behind requests."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import ServiceError
from candlewick.monitoring.health import Check, Health
from candlewick.monitoring.monitor import CONTENT_TYPE
from candlewick.server.contract import answers, problems
from candlewick.server.schemas import TEXT, ref
from candlewick.server.serving import WATCH_SECONDS, Serving, answered, serving_of
from candlewick.version import __version__

router = APIRouter(tags=["watch"])

_LIVE = answers("Alive", "It answers.")
_READY = answers("Health", "Requests may be sent.") | answers(
    {"anyOf": [ref("Health"), ref("Problem")]},
    "Not now, and why; or too much to do, as a problem document.",
    example={"ready": False, "reasons": ["warm_up: kernels are being compiled"], "checks": {"warm_up": "no"}},
    status=503,
)
_READY[503]["content"] |= problems(503)[503]["content"]
_METRICS = answers(TEXT, "The text format of Prometheus.", media=CONTENT_TYPE, example="candlewick_rollout_killed 0.0")


@router.get("/health/live", response_class=Response, responses=_LIVE, summary="Is it alive")
@router.get("/v1/health/live", response_class=Response, responses=_LIVE, summary="Is it alive")
async def live(request: Request) -> Response:
    """That the process answers, and which one it is. Looks at nothing else. Strangers are told its number alone: by it
    a caller sees whom it is about to send a key."""
    serving = serving_of(request)
    known = about(serving) if serving.door.still_valid(request.scope) else {"pid": serving.pid}
    return answered({"alive": True, **known})


@router.get("/health/ready", response_class=Response, responses=_READY, summary="Is it ready")
@router.get("/v1/health/ready", response_class=Response, responses=_READY, summary="Is it ready")
async def ready(request: Request) -> Response:
    """Whether requests may be sent: 200, or 503 with the reasons."""
    health = await health_of(serving_of(request))
    return answered(health.as_dict(), 200 if health.ready else 503)


@router.get("/metrics", response_class=Response, responses=_METRICS, summary="Figures")
@router.get("/v1/metrics", response_class=Response, responses=_METRICS, summary="Figures")
async def metrics(request: Request) -> Response:
    """Every figure, in the text format of Prometheus."""
    serving = serving_of(request)
    text = await serving.watch.run(serving.application.monitor.render)
    return Response(text, headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE})


@router.get(
    "/v1/status", response_class=Response, responses=answers("Status", "The server now."), summary="At a glance"
)
async def status(request: Request) -> Response:
    """The server at a glance: health, rollout, figures of each stage, and the arms' windows."""
    serving = serving_of(request)
    monitor = serving.application.monitor
    windows = await serving.watch.run(monitor.windows)
    return answered(
        {
            **about(serving),
            "uptime_seconds": time.time() - serving.started,
            "health": (await health_of(serving)).as_dict(),
            "rollout": await serving.control.run(serving.application.rollout_status),
            "figures": await serving.watch.run(monitor.figures),
            "windows": {arm: window.as_dict() for arm, window in windows.items()},
        }
    )


def about(serving: Serving) -> dict[str, object]:
    """Which process this is: the command line compares it with the owner of its store."""
    return {"pid": serving.pid, "version": __version__, "store": serving.application.url}


async def health_of(serving: Serving) -> Health:
    """The application's health, and the server's own part of it. Never takes longer than `WATCH_SECONDS`."""
    try:
        found = await serving.watch.run(serving.application.health)
    except ServiceError:
        found = Health((Check("application", f"did not say within {WATCH_SECONDS:g} s how it is"),))
    return found.also(Check("server", "is stopping" if serving.draining else None))
