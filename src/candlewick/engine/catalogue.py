"""Which indicators there are: our own, and the user's own ones that passed the laws."""

from __future__ import annotations

from candlewick.engine.plugins import admit_plugins
from candlewick.errors import UnknownNameError
from candlewick.indicators import REGISTRY, Indicator, Specs, parse_indicators


def resolve(specs: Specs) -> tuple[Indicator, ...]:
    """Definitions from text; a name that is not ours is looked for among the installed plug-ins first."""
    try:
        return parse_indicators(specs)
    except UnknownNameError as error:
        if error.parameter != "indicator" or not admit_plugins():
            raise
    return parse_indicators(specs)


def catalogue() -> dict[str, type[Indicator]]:
    """Every indicator by name, the user's own ones included."""
    admit_plugins()
    return dict(REGISTRY)
