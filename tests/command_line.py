"""The command line in this process. Its commands are built once: that takes a tenth of a second, and there are a
thousand calls."""

from __future__ import annotations

from functools import cache
from typing import Any

from typer import testing

from candlewick.cli.main import app

testing._get_command = cache(testing._get_command)


def invoke(*arguments: str, answer: str | None = None) -> Any:
    """What a command did, as typer's runner tells it."""
    return testing.CliRunner().invoke(app, arguments, input=answer)
