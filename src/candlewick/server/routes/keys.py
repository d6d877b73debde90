"""Keys: who may ask, listed, made and revoked over HTTP. A whole key is in the answer that makes it, nowhere else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import InputError, UnknownNameError
from candlewick.server.contract import answers, body, problems
from candlewick.server.problem import Refusal
from candlewick.server.roles import ROLES
from candlewick.server.routes.control import json_body, json_object, who
from candlewick.server.schemas import listed, ref
from candlewick.server.serving import answered, serving_of

NEW = {"name": "whose key it is", "role": f"one of {', '.join(ROLES)}", "why": "a reason, for the journal"}
NECESSARY = ("name", "role")

router = APIRouter(tags=["keys"])


_BODY = {"requestBody": body("application/json", "NewKey")}


@router.get(
    "/v1/keys",
    response_class=Response,
    responses=answers(listed(ref("Key")), "Every key, without what is to be sent."),
    summary="The keys",
)
async def keys(request: Request) -> Response:
    """Each key: id, name, role, when it was made and revoked, and the hour in which it was last used."""
    serving = serving_of(request)
    return answered([one.as_dict() for one in await serving.control.run(serving.application.keys.all)])


@router.post(
    "/v1/keys",
    status_code=201,
    response_class=Response,
    openapi_extra=_BODY,
    responses=answers("MadeKey", "The key, and what to send.", status=201) | problems(400, 413, 415),
    summary="Make a key",
)
async def create(request: Request) -> Response:
    """A new key; `key` is what to send, and is shown here only."""
    serving = serving_of(request)
    asked = parsed_key(await json_body(request))
    made, whole = await serving.control.run(
        serving.application.keys.create, asked["name"], asked["role"], who=who(request), why=asked.get("why", "")
    )
    return answered(made.as_dict() | {"key": whole}, 201)


@router.delete(
    "/v1/keys/{number}",
    response_class=Response,
    responses=answers("Key", "The key as it is now.") | problems(404),
    summary="Revoke a key",
)
async def revoke(request: Request, number: Annotated[str, Path(description="Id of the key.")]) -> Response:
    """Make a key invalid, for good; its streams are closed. Revoking it again changes nothing."""
    serving = serving_of(request)
    try:
        found = await serving.control.run(serving.application.keys.revoke, number, who=who(request))
    except UnknownNameError as error:
        raise Refusal(404, error) from error
    return answered(found.as_dict())


def parsed_key(body: bytes) -> dict[str, str]:
    """The key that a body asks for. Raises InputError or UnknownNameError that names the member."""
    form = f"give an object with {' and '.join(NECESSARY)}"
    asked = json_object(body, form)
    for name, value in asked.items():
        if name not in NEW:
            raise UnknownNameError("body member", name, NEW)
        if not isinstance(value, str):
            raise InputError(name, value, f"give {NEW[name]}, as text")
    for name in NECESSARY:
        if name not in asked:
            raise InputError(name, None, f"give {NEW[name]}", "is missing")
    return asked
