"""Plain route: a function found by its path and called, with nothing around it.

What FastAPI does for each request (dependencies, exit stacks, nested routers) takes longer than giving an answer that
is remembered.
"""

from __future__ import annotations

from typing import Any

from starlette.routing import Match, Route
from starlette.types import Scope


class PlainRoute(Route):
    """Names itself in the scope, as the framework's own routes do: responses are counted by it."""

    def matches(self, scope: Scope) -> tuple[Match, dict[str, Any]]:
        match, found = super().matches(scope)
        return match, {**found, "route": self}
