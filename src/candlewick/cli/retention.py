"""Retention: what `delete --older-than` and `store purge` remove for good, and from when on history is kept then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from candlewick.errors import UnknownSeriesError

if TYPE_CHECKING:
    from candlewick.store.repository import CandleRepository
    from candlewick.store.retention import Going
    from candlewick.timeframe import Timeframe


class Removed(NamedTuple):
    """What went of a series, and from when on all of it is known: microseconds UTC, None as long as nothing went."""

    going: Going
    known_from: int | None


SHOWN = 20
"""Series that are named to a reader; --json names all."""


def retire(
    repository: CandleRepository,
    symbol: str | None,
    length: Timeframe | None,
    older_than: str,
    timezone: str | None,
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    """Remove candles that opened before a time, with their earlier versions; or say what would go.

    A date is the open of that session, by the calendar of each series.
    """
    from candlewick.cli.ranges import parse_range
    from candlewick.store.retention import going_candles

    def end(calendar: str) -> int:
        low, _ = parse_range(calendar, older_than, None, timezone)
        return low or 0

    _check_known(repository, symbol)
    going = going_candles(repository, end, symbol, length)

    def remove() -> list[Removed]:
        return [
            Removed(
                one._replace(rows=repository.delete(one.symbol, one.timeframe, None, one.before, for_good=True)),
                repository.writes(one.symbol, one.timeframe)[-1].written_at,
            )
            for one in going
        ]

    _run(going, remove, older_than, dry_run=dry_run, yes=yes, json=json)


def purge(
    repository: CandleRepository,
    symbol: str | None,
    length: Timeframe | None,
    older_than: str,
    timezone: str | None,
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    """Remove versions that were replaced or deleted before a moment; or say what would go."""
    from candlewick.cli.ranges import parse_as_of
    from candlewick.store.retention import going_versions

    before = parse_as_of(older_than, timezone) or 0
    _check_known(repository, symbol)
    going = going_versions(repository, before, symbol, length)

    def remove() -> list[Removed]:
        repository.purge(before, symbol, length)  # also where no version goes: notes of writes do
        return [Removed(one, repository.writes(one.symbol, one.timeframe)[0].written_at) for one in going]

    _run(going, remove, older_than, dry_run=dry_run, yes=yes, json=json)


def _run(
    going: list[Going],
    remove: Callable[[], list[Removed]],
    older_than: str,
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    from candlewick.cli.delete import ask
    from candlewick.cli.output import print_json

    if not dry_run and not yes:
        ask(f"Remove {_counted(going)} for good?")
    done = [Removed(one, None) for one in going] if dry_run else remove()
    told = [_told(*one) for one in done]
    if json:
        sums = {name: sum(one[name] for one in told) for name in ("deleted", "versions")}
        print_json({"older_than": older_than, "dry_run": dry_run, **sums, "series": told})
        return
    for found in told[:SHOWN]:
        typer.echo(_line(found))
    if len(told) > SHOWN:
        typer.echo(f"... and {len(told) - SHOWN:,} more series; --json names all")
    what = _counted([one.going for one in done])
    typer.echo(f"Would remove {what}, for good." if dry_run else f"Removed {what}, for good.")


def _counted(going: list[Going]) -> str:
    rows, versions = sum(one.rows for one in going), sum(one.versions for one in going)
    return f"{rows:,} candles and {versions:,} earlier versions of {len(going):,} series"


def _check_known(repository: CandleRepository, symbol: str | None) -> None:
    """Raise UnknownSeriesError for a symbol that the store never had."""
    if symbol is None:
        return
    with repository.tables() as cursor:
        known = {row[0] for row in cursor.execute("SELECT symbol FROM series").fetchall()}
    if symbol not in known:
        raise UnknownSeriesError("symbol", symbol, sorted(known))


def _told(one: Going, known_from: int | None) -> dict[str, Any]:
    from candlewick.store.repository import iso

    return {
        "symbol": one.symbol,
        "timeframe": str(one.timeframe),
        "before": iso(one.before),
        "deleted": one.rows,
        "versions": one.versions,
        "known_from": None if known_from is None else iso(known_from),
    }


def _line(one: dict[str, Any]) -> str:
    said = f"{one['symbol']} {one['timeframe']}: {one['deleted']:,} candles and {one['versions']:,} earlier versions"
    if one["known_from"] is None:
        return f"{said} before {one['before']}"
    return f"{said} before {one['before']}; all of it is known from {one['known_from']} on"
