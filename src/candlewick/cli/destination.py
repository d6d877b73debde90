"""Destination: where output goes: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from candlewick.errors import InputError

SUFFIXES = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst")


def choose_format(given: str | None, output: str | None, offered: tuple[str, ...], default: str) -> str:
    """The format asked for, else the one that the file's name says, else ``default``.

    Raises InputError for a file whose name says something else than the format.
    """
    suffix = Path(output).suffix.lower() if output is not None else ""
    named = SUFFIXES.get(suffix)
    chosen = given or (named if named in offered else default)
    if suffix in PACKED or (named is not None and named != chosen):
        endings = (chosen,) if chosen in offered else offered
        expected = f"give a name ending in {' or '.join(f'.{ending}' for ending in endings)}"
        raise InputError("output", output, expected, f"does not look like {chosen}")
    if chosen == "parquet" and output is None and sys.stdout.isatty():
        raise InputError("format", chosen, "give --output FILE, or send it into a file or pipe", "suits no terminal")
    return chosen


@contextmanager
def destination(output: str | None) -> Iterator[BinaryIO]:
    """Standard output, or a new file under another name that replaces ``output`` when all went well.

    Raises InputError for a place that cannot be written to.
    """
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    check_place(output, "output")
    target = Path(output)
    draft: str | None = None
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        Path(draft).chmod(0o666 & ~umask)  # as any other new file, not as a private temporary one
        Path(draft).replace(target)
        draft = None
    except OSError as error:
        raise InputError(
            "output", output, "give a file in a folder that can be written to", f"fails: {error.strerror}"
        ) from error
    finally:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)


def check_place(output: str, parameter: str) -> None:
    """Raise InputError when no file can be written at ``output``: to be known before long work, not after it."""
    target = Path(output)
    if target.is_dir():
        raise InputError(parameter, output, "give the path of a file", "is a folder")
    if not target.parent.is_dir():
        raise InputError(parameter, output, "give a file in a folder that exists", "has no folder to be in")
    if not os.access(target.parent, os.W_OK):
        raise InputError(parameter, output, "give a folder that can be written to", "is in a folder that cannot be")
