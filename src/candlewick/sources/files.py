"""Files: what the caller names, expanded into sources."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from candlewick.errors import FileFormatError, InputError
from candlewick.sources.arrow import ArrowSource, TableSource
from candlewick.sources.csv import CsvSource
from candlewick.sources.data_frame import is_table
from candlewick.sources.ndjson import NdjsonSource
from candlewick.sources.parquet import ParquetSource
from candlewick.sources.source import Source
from candlewick.sources.text_file import TextFile, members

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc", ".arrows")
NDJSON = (".ndjson", ".jsonl")
KNOWN = (*TEXT, *NDJSON, *(f"{suffix}.gz" for suffix in (*TEXT, *NDJSON)), ".zip", *PARQUET, *ARROW)


def sources(files: Any) -> list[Source]:
    """A path, a folder, a glob, an Arrow table, or several of them, as sources: sorted, each once.

    Raises FileFormatError for a name of an unknown kind, InputError where nothing is found.
    """
    several = isinstance(files, Iterable) and not _single(files)
    found: list[Source] = []
    seen: set[Path] = set()
    for one in files if several else [files]:
        if not isinstance(one, str | Path):
            if not is_table(one):
                raise InputError("files", one, "give paths, folders, globs or Arrow tables", "is no file")
            found.append(TableSource(one))
            continue
        for path in paths_of(one):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                found.extend(_opened(path))
    if not found:
        raise InputError("files", files, "give at least one file", "names no file")
    return found


def _single(files: Any) -> bool:
    return isinstance(files, str | Path) or is_table(files)


def paths_of(given: str | Path) -> Iterator[Path]:
    """The files that a path, a folder or a glob names, sorted. Raises InputError where there is none."""
    path = Path(given).expanduser()
    if path.is_dir():
        inside = sorted(child for child in path.iterdir() if child.is_file() and _kind(child) is not None)
        if not inside:
            raise InputError("files", str(given), f"it has no file that ends in {', '.join(KNOWN)}", "is a bare folder")
        yield from inside
    elif path.exists():
        yield path
    else:
        found = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        matches = sorted(Path(match) for match in found if Path(match).is_file())
        if not matches:
            raise InputError("files", str(given), "give the path of a file, a folder or a glob", "does not exist")
        yield from matches


def _kind(path: Path) -> str | None:
    name = path.name.casefold()
    return next((suffix for suffix in KNOWN if name.endswith(suffix)), None)


def _opened(path: Path) -> list[Source]:
    kind = _kind(path)
    if kind is None:
        raise FileFormatError("file", str(path), f"name it {', '.join(KNOWN)}", "is of no kind that is known")
    if kind == ".zip":
        return [CsvSource(member) for member in members(path)]
    if path.stat().st_size == 0:
        raise FileFormatError("file", str(path), "give a file with a header and rows", "is an empty file")
    if kind in PARQUET:
        return [ParquetSource(path)]
    if kind in ARROW:
        return [ArrowSource(path)]
    if kind.removesuffix(".gz") in NDJSON:
        return [NdjsonSource(TextFile(path, None, path.stat().st_size))]
    return [CsvSource(TextFile(path, None, path.stat().st_size))]
