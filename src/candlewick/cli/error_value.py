"""Error value: what a command that was asked for JSON prints when it fails: still one JSON value, with an ``error``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from candlewick.errors import CandlewickError

REPORTS = ("bench", "validate")
"""Commands whose ``--json`` names a file; ``-`` is standard output."""


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether standard output is to hold a JSON value. A worker's is for the server that started it."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if not before or "--worker" in before:
        return False
    if before[0] in REPORTS:
        pairs = zip(before, [*before[1:], ""], strict=True)
        return "--json=-" in before or any(pair == ("--json", "-") for pair in pairs)
    return "--json" in before


def print_error(error: CandlewickError) -> None:
    """``{"error": {...}}``: the members of the problem document that HTTP would answer, without its status."""
    from candlewick.cli.output import print_json
    from candlewick.server.problem import problem_of

    document = problem_of(error).document
    print_json({"error": {name: value for name, value in document.items() if name != "status"}})


def print_usage(text: str) -> None:
    """The same for a command line that cannot be read."""
    from candlewick.cli.output import print_json

    told: dict[str, Any] = {"type": "about:blank", "title": "Bad usage", "detail": text}
    print_json({"error": told})
