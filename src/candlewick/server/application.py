"""Application: what the server needs of the application that it serves; `candlewick.app` implements it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from candlewick.backup import BackedUp
from candlewick.errors import CandlewickError
from candlewick.explain.explanation import Explanation
from candlewick.moments import Moment
from candlewick.monitoring.health import Health
from candlewick.monitoring.monitor import Monitor
from candlewick.server.key_ring import KeyRing
from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.sources.summary import IngestSummary
from candlewick.store.repository import Series
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe


class Application(Protocol):
    """One store, two engines and the rollout between them. Every method may be called from several threads.

    Raises what `candlewick.errors` has; anything else is a defect, and reaches nobody but the log. The application
    itself tells its ``monitor`` of each request, also of those that ``quick`` answers.
    """

    @property
    def url(self) -> str:
        """The address of the store."""

    @property
    def monitor(self) -> Monitor:
        """Where requests are counted and figures are read."""

    @property
    def keys(self) -> KeyRing:
        """Who may ask, where keys are asked for. Changes are journalled."""

    @property
    def staging(self) -> Path | None:
        """Folder for files on their way in; None when the system's temporary folder will do."""

    def quick(self, request: Request, engine: str = "auto", client: str | None = None) -> Served | None:
        """The answer when it can be given within microseconds, without computing or reading the store; else None.

        Called in the event loop: it must not wait for anything.
        """

    def candles(self, request: Request, engine: str = "auto", client: str | None = None) -> Served:
        """Bars and indicators. ``engine``: ``auto``, ``classic`` or ``optimized``; ``client``: a routing key."""

    def candles_many(self, requests: Sequence[Request], engine: str = "auto") -> list[Served | CandlewickError]:
        """The answers in the order asked; a request that fails has its error in its place."""

    def explain(
        self, request: Request, at: Moment, column: str, engine: str = "auto", client: str | None = None
    ) -> Explanation:
        """The value of one column at the bar that opens at ``at``, as ``candles`` gives it, and where it comes from."""

    def symbols(self) -> list[Series]:
        """What is stored."""

    def series_of(self, symbol: str) -> list[Series]:
        """The stored series of one symbol, finest first; none for an unknown one. Quick."""

    def first_changed(self, symbol: str, timeframe: Timeframe, since: int) -> int | None:
        """Start of the earliest UTC day (microseconds) of a stored series that a write after revision ``since``
        touched; None when none did. Raises UnknownSeriesError."""

    def complete_until(self) -> int | None:
        """Up to when bars are final now, microseconds UTC; None: up to the newest stored candle's close."""

    def listen(self, called: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        """``called`` gets the symbols that a write changed, after each committed write, in the writer's thread: it
        must not wait for anything. Returns how to stop that."""

    def ingest(
        self,
        path: Path,
        *,
        calendar: str,
        timeframe: str,
        symbol: str | None = None,
        timezone: str | None = None,
        name: str | None = None,
    ) -> IngestSummary:
        """Check the candles of a file and store them. The file's suffix says its kind, as for the command line;
        ``name`` is what quarantine calls it."""

    def backup(self, path: Path, *, control: bool = True) -> BackedUp:
        """All that the store holds at one moment in a new file, with the control journal where ``control`` says so."""

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        """The split factors of every symbol that has any, oldest first."""

    def set_split(self, symbol: str, at: Moment, factor: float | str, calendar: str | None = None) -> Split:
        """Keep a split factor, as `CandleRepository.set_split` does."""

    def remove_split(self, symbol: str, at: Moment, calendar: str | None = None) -> Split | None:
        """Forget the factor of a moment; which it was, None where there was none."""

    def ease(self, busy: Callable[[], bool]) -> None:
        """While ``busy()``, take on next to nothing that no caller waits for, such as computing a request by both
        engines. Asked in every thread; it must be quick."""

    def flags(self) -> list[dict[str, Any]]:
        """Each flag: ``name``, ``value``, ``origin``."""

    def set_flag(self, name: str, value: Any, who: str, why: str) -> None:
        """Set a flag from now on, and across restarts. Raises InputError, UnknownNameError or KilledError."""

    def rollout_status(self) -> dict[str, Any]:
        """``percentage``, ``killed``, ``since``, ``arms``, ``guards``: plain values for JSON."""

    def health(self) -> Health:
        """Store, warm-up and control journal, each looked at now."""

    def warm_up(self) -> None:
        """Compile what the usual requests need; returns when it is in use. ``health`` says so
        until the desk's set is; the rest follows."""

    def announce(self, address: str | None) -> None:
        """Note beside the store at which address it is served; None takes that back."""

    def close(self) -> None:
        """Let go of threads, memory and store. Closing twice is harmless."""
