"""The app: every command in one list, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from candlewick.cli.backup import backup
from candlewick.cli.bench import bench
from candlewick.cli.candles import candles
from candlewick.cli.compare import compare
from candlewick.cli.config import config
from candlewick.cli.delete import delete
from candlewick.cli.demo import demo
from candlewick.cli.error_value import print_error, print_usage, wants_json
from candlewick.cli.explain import explain
from candlewick.cli.export import export
from candlewick.cli.flags import flags
from candlewick.cli.follow import follow
from candlewick.cli.gaps import gaps
from candlewick.cli.indicators import indicators
from candlewick.cli.ingest import ingest
from candlewick.cli.keys import keys
from candlewick.cli.quarantine import quarantine
from candlewick.cli.restore import restore
from candlewick.cli.rollout import rollout
from candlewick.cli.serve import serve
from candlewick.cli.splits import splits
from candlewick.cli.status import status
from candlewick.cli.store import store
from candlewick.cli.symbols import symbols
from candlewick.cli.validate import validate
from candlewick.errors import CandlewickError
from candlewick.version import __version__

BAD_INPUT = 2
BAD_USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""Of every command line that cannot be read: click's, or typer's own copy of it, as the version has it."""
JSON = "candlewick.json"
"""Where a context's ``meta`` has whether JSON was asked for."""
BROKEN_PIPE = 141
"""What a shell reports for a tool whose reader went away (128 + SIGPIPE)."""


class Commands(TyperGroup):
    """The commands, with every error raised on purpose told in one line instead of a traceback, and as the one JSON
    value where JSON was asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[JSON] = wants_json(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CandlewickError as error:
            if ctx.meta[JSON]:
                print_error(error)
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except BAD_USAGE as error:
            told: Any = error
            if ctx.meta[JSON]:
                print_usage(told.format_message())
            raise
        except BrokenPipeError as error:
            # Python flushes standard output once more at its end, which would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from error


app = typer.Typer(
    cls=Commands,
    name="candlewick",
    epilog="Exit codes: 0 done (also when rows were quarantined), 1 a check failed, 2 bad usage or input. "
    "Start with `candlewick demo`.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help: rich would double the time that --help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"candlewick {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Session-true bars and technical indicators from minute candles, exact and fast."""


SHORT_HELP: dict[Callable[..., None], str] = {
    ingest: "Check candles from files and store them.",
    follow: "Take candles in as they come.",
    candles: "Show bars of a symbol, with indicators.",
    explain: "Say where one value comes from, and what it is exactly.",
    symbols: "List what is stored.",
    quarantine: "Show the rows that were refused, and why.",
    gaps: "Find what is missing, late or suspicious.",
    delete: "Delete candles of a symbol.",
    export: "Write stored candles to a file.",
    backup: "Write all that is stored into one file.",
    restore: "Put a backup into an empty store.",
    indicators: "List the indicators.",
    compare: "Say why another platform's figures differ.",
    serve: "Serve the store over HTTP.",
    status: "Show the server of a store.",
    demo: "Try it with real and simulated candles.",
    validate: "Measure whether the optimized engine may go into production.",
    bench: "Measure the speed beside other libraries.",
}
for command, line in SHORT_HELP.items():
    app.command(short_help=line)(command)
app.add_typer(config, name="config")
app.add_typer(flags, name="flags")
app.add_typer(rollout, name="rollout")
app.add_typer(keys, name="keys")
app.add_typer(splits, name="splits")
app.add_typer(store, name="store")


def main() -> None:
    """Run the command line of this process and end it with the command's exit code."""
    app()


if __name__ == "__main__":
    main()
