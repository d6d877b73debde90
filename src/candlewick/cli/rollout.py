"""rollout: which share of the keys V2 answers. Works on the control journal itself, so also when a server hangs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.delivery.control import Control

rollout = typer.Typer(
    name="rollout", help="Roll V2 out, watch it, take it back.", no_args_is_help=True, rich_markup_mode=None
)

Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the journal.")]


@rollout.command("set", context_settings=options.SIGNED)
def set_percentage(
    percent: Annotated[str, typer.Argument(metavar="PERCENT", help="Share of the keys on V2, 0 to 100, such as 0.5.")],
    why: Why = "",
    json: options.Json = False,
    control: options.Control = None,
    store: options.Store = None,
) -> None:
    """Set the share of the keys that V2 answers. Refused above 0 while killed."""
    from candlewick.cli.control import open_control, who
    from candlewick.definitions import find_flag

    find_flag("rollout_percentage").parse(percent, "percent")
    opened = open_control(control, store, make=True)
    with opened.journal:
        opened.set("rollout_percentage", percent, who=who(), why=why)
        _show(opened, json)


@rollout.command("status")
def show_status(json: options.Json = False, control: options.Control = None, store: options.Store = None) -> None:
    """Show the share on V2, whether it is killed, and what the arms and guards of the running server say."""
    from candlewick.cli.control import open_control

    opened = open_control(control, store)
    with opened.journal:
        _show(opened, json)


@rollout.command("rollback")
def roll_back(
    why: Why, json: options.Json = False, control: options.Control = None, store: options.Store = None
) -> None:
    """Take V2 back from everybody at once: the percentage to 0, and none above it until `rollout clear`."""
    from candlewick.cli.control import open_control, who

    opened = open_control(control, store, make=True)
    with opened.journal:
        opened.kill(who=who(), why=why)
        _show(opened, json)


@rollout.command("clear")
def clear(why: Why, json: options.Json = False, control: options.Control = None, store: options.Store = None) -> None:
    """Lift the kill. The percentage stays 0; the next rollout meets other keys first."""
    from candlewick.cli.control import open_control, who

    opened = open_control(control, store, make=True)
    with opened.journal:
        opened.clear(who=who(), why=why)
        _show(opened, json)


def _show(opened: Control, json: bool) -> None:
    from candlewick.cli.output import print_json
    from candlewick.delivery.status import rollout_status

    found: dict[str, Any] = rollout_status(opened.current)
    reports = opened.journal.reports()
    if reports:
        process, at, body = reports[0]
        age = max(0.0, time.time() - at / 1e6)
        found = rollout_status(opened.current, body, process, age)
    if json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from candlewick.cli.table import print_table

    state = f"killed: {found['why']}" if found["killed"] else "not killed"
    typer.echo(f"{found['percentage']:g}% on V2 since {found['since'] or 'ever'}, {state}.")
    for kind, keys in (("always on V2", found["allow"]), ("never on V2", found["deny"])):
        if keys:
            typer.echo(f"{kind}: {', '.join(keys)}")
    if found["process"] is None:
        typer.echo("No server has reported.")
        return
    typer.echo(f"Server {found['process']}, {found['age_seconds']:.0f} s ago, with {found['serving']:g}% on V2:")
    if found["problem"]:
        typer.echo(f"  problem: {found['problem']}")
    rows = [
        [arm, f"{one['requests']:,}", f"{sum(one['errors'].values()):,}", f"{one['fallbacks']:,}", f"{one['lost']:,}"]
        + [_milliseconds(one[f"p{percent}"]) for percent in (50, 95, 99)]
        for arm, one in found["arms"].items()
    ]
    print_table(
        ("arm", "requests", "failures", "fallbacks", "lost", "p50 ms", "p95 ms", "p99 ms"), rows, numbers=range(1, 8)
    )
    for guard in ("failure", "slowness"):
        one = found["guards"][guard]
        typer.echo(
            f"{guard}: {one['blaming_v2']} of {one['incidents']} incidents blame V2, "
            f"e-value {one['e_value']:.3g} of {one['threshold']:.3g}"
        )
    wrong, memory = found["guards"]["mismatch"], found["guards"]["memory"]
    typer.echo(f"mismatch: {wrong['incidents']} wrong answers of {wrong['threshold']}")
    typer.echo(f"memory: {memory['bytes'] / 1_048_576:,.0f} MiB of {memory['threshold'] / 1_048_576:,.0f}")


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.1f}"
