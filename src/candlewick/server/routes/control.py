"""Control: the flags and the rollout. Changes are journalled with who and why."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import InputError, UnknownNameError
from candlewick.server.contract import answers, body, problems
from candlewick.server.problem import Refusal
from candlewick.server.schemas import listed, ref
from candlewick.server.serving import answered, serving_of
from candlewick.server.wanted import CLIENT

CHANGE = {"name": "the name of a flag", "value": "its new value", "why": "a reason, for the journal"}
BODY_BYTES = 64 * 1024

router = APIRouter(tags=["control"])


_BODY = {"requestBody": body("application/json", "FlagChange")}


@router.get(
    "/v1/flags",
    response_class=Response,
    responses=answers(listed(ref("Flag")), "Every flag."),
    summary="The flags",
)
async def flags(request: Request) -> Response:
    """Each flag with its value and where that came from."""
    serving = serving_of(request)
    return answered(await serving.control.run(serving.application.flags))


@router.put(
    "/v1/flags",
    response_class=Response,
    openapi_extra=_BODY,
    responses=answers("Flag", "The flag as it is now.") | problems(400, 409, 413, 415),
    summary="Set a flag",
)
async def set_flag(request: Request) -> Response:
    """Set a flag from now on, and across restarts; the answer is the flag as it is then."""
    serving = serving_of(request)
    change = parsed_change(await json_body(request))
    await serving.control.run(
        serving.application.set_flag, change["name"], change["value"], who(request), change["why"]
    )
    now = await serving.control.run(serving.application.flags)
    return answered(next(one for one in now if one["name"] == change["name"]))


@router.get(
    "/v1/rollout", response_class=Response, responses=answers("Rollout", "The rollout now."), summary="The rollout"
)
async def rollout(request: Request) -> Response:
    """How far the rollout is, whether it is killed, and what arms and guards see."""
    serving = serving_of(request)
    return answered(await serving.control.run(serving.application.rollout_status))


async def json_body(request: Request) -> bytes:
    """The body of a change. Raises Refusal (415) for what is not said to be JSON, (413) for too much of it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise Refusal(415, InputError("Content-Type", kind or None, "send application/json", "is not known"))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise Refusal(413, InputError("body", len(body), f"send at most {BODY_BYTES}", "bytes are too many"))
    return bytes(body)


def json_object(body: bytes, form: str) -> dict[str, Any]:
    """The object in a body. Raises InputError, which says what ``form`` would be right."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        shown = body[:80].decode("utf-8", "replace")
        raise InputError("body", shown, form, f"is no JSON ({str(error)[:200]})") from None
    if not isinstance(found, dict):
        raise InputError("body", found, form, "is no object")
    return found


def parsed_change(body: bytes) -> dict[str, Any]:
    """The change that a body asks for. Raises InputError or UnknownNameError that names the member."""
    form = f"give an object with {', '.join(CHANGE)}"
    change = json_object(body, form)
    for name in change:
        if name not in CHANGE:
            raise UnknownNameError("body member", name, CHANGE)
    for name, text in CHANGE.items():
        if name not in change:
            raise InputError(name, None, f"give {text}", "is missing")
    for name in ("name", "why"):
        if not isinstance(change[name], str) or not change[name].strip():
            raise InputError(name, change[name], f"give {CHANGE[name]}, as text")
    if isinstance(change["value"], dict | list):
        raise InputError("value", change["value"], "give one value: true, false, a number or text")
    return change


def who(request: Request) -> str:
    """Who asks, for the journal: the key's name, else, where none is needed, what the caller calls itself."""
    address = "unknown" if request.client is None else request.client.host
    key = request.scope.get("candlewick", {}).get("key")
    if key is not None:
        return f"key {key} at {address}"
    client = request.headers.get(CLIENT)
    return f"http {address}" if client is None else f"http {address} ({client[:200]})"
