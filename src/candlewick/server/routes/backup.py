"""Backup: all that the store holds, as one file, while it is served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from candlewick.errors import InputError
from candlewick.server.asked import fields
from candlewick.server.contract import answers, problems, query
from candlewick.server.schemas import TEXT
from candlewick.server.serving import Serving, serving_of
from candlewick.sources.staging import staging_folder

PARAMETERS = {"control": "Whether the control journal is in it: true when left out, or false."}
ZIP = "application/zip"
PIECE = 1 << 20
"""Bytes that are sent at once."""

router = APIRouter(tags=["control"])

_ASKED = {
    "parameters": [
        query("control", PARAMETERS["control"], {"type": "string", "enum": ["true", "false"]}, example="true")
    ]
}


@router.get(
    "/v1/backup",
    response_class=Response,
    openapi_extra=_ASKED,
    responses=answers(
        TEXT | {"format": "binary"}, "A file that `candlewick restore` takes.", media=ZIP, example="(a zip)"
    )
    | problems(400),
    summary="A backup of the store",
)
async def backup(request: Request) -> Response:
    """All that the store holds at one moment, in one file; others read and write meanwhile. Keys are not in it.

    It is made beside the store before it is sent, so that a slow caller keeps nobody waiting.
    """
    serving = serving_of(request)
    given = fields(request.scope["query_string"], PARAMETERS)
    control = given.get("control", "true")
    if control not in ("true", "false"):
        raise InputError("control", control, "give true or false")
    kept = staging_folder(serving.application.staging)
    folder = await serving.files.run(kept.__enter__)
    file = await _made(serving, kept, folder, control=control == "true")
    size = file.seek(0, 2)
    file.seek(0)
    headers = {
        "Cache-Control": "no-store",
        "Content-Length": str(size),
        "Content-Disposition": 'attachment; filename="candlewick.backup"',
    }
    return StreamingResponse(_pieces(file), 200, headers, ZIP)


async def _made(serving: Serving, kept: AbstractContextManager[Path], folder: Path, *, control: bool) -> BinaryIO:
    """The backup, open; its name is gone already, so that nothing is left of one that nobody waits for."""
    path = folder / "candlewick.backup"
    try:
        await serving.backups.run(serving.application.backup, path, control=control)
        return path.open("rb")
    finally:
        kept.__exit__(None, None, None)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
