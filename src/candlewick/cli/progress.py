"""Progress: a bar on a terminal's standard error, nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ByteProgress = Callable[[int, int, int], None]
"""Bytes done, bytes in all, rows so far."""


@contextmanager
def ingest_progress(title: str) -> Iterator[ByteProgress | None]:
    """A bar with rows, rows a second and time left; None when standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, rows=0, rate=0.0)

        def report(done: int, total: int, rows: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(task, completed=done, total=total, rows=rows, rate=rows / elapsed if elapsed else 0.0)

        yield report


@contextmanager
def step_progress(title: str) -> Iterator[Callable[[str], None]]:
    """A line that says what is being done; silent when standard error is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(title) as status:
        yield lambda step: status.update(f"{title}: {step}")
