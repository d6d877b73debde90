"""Ingest: candles in a request's body into the store, by way of a file, so that memory does not grow with the body."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import FileFormatError, InputError
from candlewick.server.asked import fields, needed
from candlewick.server.contract import answers, problems, query
from candlewick.server.problem import Refusal
from candlewick.server.schemas import TEXT, Schema
from candlewick.server.serving import Serving, answered, serving_of
from candlewick.sources.staging import staging_folder

if TYPE_CHECKING:
    from candlewick.sources.summary import IngestSummary

PARAMETERS = {
    "calendar": "Trading calendar of the symbols: an exchange such as XNYS, 24/7, or own hours.",
    "timeframe": "Length of a candle; 1m when left out.",
    "symbol": "Symbol of the candles, where no column says it.",
    "timezone": "What times without an offset are in, such as America/New_York.",
    "name": "Name of the file, as quarantine shows it.",
}
KINDS = {
    "text/csv": (".csv", ".tsv", ".txt"),
    "application/x-ndjson": (".ndjson", ".jsonl"),
    "application/gzip": (".csv.gz", ".tsv.gz", ".txt.gz", ".ndjson.gz", ".jsonl.gz"),
    "application/zip": (".zip",),
    "application/vnd.apache.parquet": (".parquet", ".pq"),
    "application/vnd.apache.arrow.stream": (".arrows",),
    "application/vnd.apache.arrow.file": (".arrow", ".feather", ".ipc"),
}
"""Content type to what the file's name may end in; the first one is taken where no name is given."""

PIECE = 1 << 20
"""Bytes that are gathered before they are written."""

router = APIRouter(tags=["candles"])


_KINDS: dict[str, Schema] = {
    "calendar": TEXT | {"minLength": 1},
    "timeframe": TEXT | {"pattern": "^([1-9][0-9]{0,4}[mh]|1d|1w|1mo)$"},
    "symbol": TEXT | {"minLength": 1},
    "timezone": TEXT | {"minLength": 1},
    "name": TEXT | {"minLength": 1, "maxLength": 200},
}
_EXAMPLES = {"calendar": "XNYS", "symbol": "SPY", "timezone": "America/New_York", "name": "spy.csv"}
_ROWS = {
    "text/csv": "time,open,high,low,close,volume\n2024-01-02T14:30:00Z,472.16,472.65,471.98,472.44,1204331\n",
    "application/x-ndjson": '{"time":"2024-01-02T14:30:00Z","open":1,"high":2,"low":1,"close":2,"volume":10}\n',
}
_TAKEN = {
    "parameters": [
        query(name, about, _KINDS[name], required=name == "calendar", example=_EXAMPLES.get(name))
        for name, about in PARAMETERS.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": TEXT, "example": _ROWS[kind]} if kind in _ROWS else {"schema": TEXT | {"format": "binary"}}
            for kind in KINDS
        },
    },
}


@router.post(
    "/v1/candles",
    response_class=Response,
    openapi_extra=_TAKEN,
    responses=answers("Ingested", "Where every row went.") | problems(400, 413, 415),
    summary="Store candles",
)
async def ingest(request: Request) -> Response:
    """Check the candles of the body and store them; the answer says where every row went."""
    serving = serving_of(request)
    given = fields(request.scope["query_string"], PARAMETERS)
    calendar = needed(given, "calendar", "there is no default; give one such as XNYS or 24/7")
    name = file_name(request.headers.get("content-type"), given.get("name"))
    _check_coding(request.headers.get("content-encoding"))
    _check_length(request, serving.limits.body_bytes)
    # Let go of in this thread: a full lane must not leave the files of those that were refused.
    with ExitStack() as kept:
        folder = await serving.files.run(kept.enter_context, staging_folder(serving.application.staging))
        path = folder / name

        def stored() -> IngestSummary:
            with kept.pop_all():  # from here on the file is there until it was read, however long the caller waits
                return serving.application.ingest(
                    path,
                    calendar=calendar,
                    timeframe=given.get("timeframe", "1m"),
                    symbol=given.get("symbol"),
                    timezone=given.get("timezone"),
                    name=name,
                )

        try:
            await _received(serving, request, path)
            summary = await serving.ingests.run(stored)
        except FileFormatError as error:
            raise told_by_name(error, path, name) from error
    return answered(summary.as_dict())


def file_name(content_type: str | None, name: str | None) -> str:
    """The name under which a body is checked. Raises Refusal (415) for a kind of content that is not known and
    InputError for a name that is not one of that kind."""
    kind = (content_type or "").partition(";")[0].strip().casefold()
    if kind not in KINDS:
        expected = f"send one of {', '.join(KINDS)}"
        raise Refusal(
            415, InputError("Content-Type", content_type, expected, "is not known"), {"Accept-Post": "text/csv"}
        )
    if name is None:
        return f"body{KINDS[kind][0]}"
    plain = name.strip()
    if not plain or len(plain) > 200 or any(sign in plain for sign in "/\\\0\r\n") or plain.startswith("."):
        raise InputError("name", name, "give the plain name of a file, without folders")
    if not plain.casefold().endswith(KINDS[kind]):
        raise InputError("name", name, f"let it end in {' or '.join(KINDS[kind])}, as {kind} does")
    return plain


def told_by_name(error: FileFormatError, path: Path, name: str) -> FileFormatError:
    """The error with the name of the body instead of where it lay meanwhile, which is nobody's business."""
    shown = str(error.value).replace(str(path), name)
    return FileFormatError(error.parameter, shown, error.expected.replace(str(path), name), error.problem)


def _check_coding(coding: str | None) -> None:
    if coding is not None and coding.strip().casefold() not in ("", "identity"):
        expected = "send it unpacked, or a packed file as application/gzip"
        raise Refusal(415, InputError("Content-Encoding", coding, expected, "is not taken off"))


def _check_length(request: Request, most: int) -> None:
    length = request.headers.get("content-length")
    if length is not None and length.isdigit() and int(length) > most:
        raise _too_large(int(length), most)


def _too_large(size: int, most: int) -> Refusal:
    expected = f"send at most {most} bytes at a time: files may be sent one after the other"
    return Refusal(413, InputError("body", size, expected, "bytes are too many"), {"Connection": "close"})


async def _received(serving: Serving, request: Request, path: Path) -> None:
    file = await serving.files.run(path.open, "wb")
    try:
        size, gathered = 0, bytearray()
        async for chunk in request.stream():
            size += len(chunk)
            if size > serving.limits.body_bytes:
                raise _too_large(size, serving.limits.body_bytes)
            gathered += chunk
            if len(gathered) >= PIECE:
                await serving.files.run(_written, file, bytes(gathered))
                gathered.clear()
        await serving.files.run(_written, file, bytes(gathered))
    finally:
        file.close()


def _written(file: IO[bytes], piece: bytes) -> None:
    file.write(piece)
