"""Controls: the calls of a client that are about the server itself: split factors, flags, rollout and health."""

from __future__ import annotations

from typing import Any

from candlewick.client.connection import CONNECT_SECONDS, Connection
from candlewick.client.question import edge
from candlewick.moments import Moment, moment
from candlewick.store.splits import Split


class Controls:
    """What a `Client` can see and set of its server; ``_connection`` is the client's."""

    _connection: Connection

    def splits(self) -> dict[str, tuple[Split, ...]]:
        """The split factors of every symbol that has any, oldest first."""
        found: dict[str, tuple[Split, ...]] = {}
        for one in self._connection.json("GET", "/v1/splits"):
            kept = Split(moment(one["time"], "time"), one["factor"])
            found[one["symbol"]] = (*found.get(one["symbol"], ()), kept)
        return found

    def set_split(self, symbol: str, at: Moment, factor: float | str, *, calendar: str | None = None) -> Split:
        """Keep a split factor, as `CandleRepository.set_split` does."""
        return self._change_split(symbol, at, factor, calendar)

    def remove_split(self, symbol: str, at: Moment, *, calendar: str | None = None) -> Split:
        """Forget the factor of a moment; which it was. Raises InputError where there was none."""
        return self._change_split(symbol, at, None, calendar)

    def _change_split(self, symbol: str, at: Moment, factor: float | str | None, calendar: str | None) -> Split:
        import msgspec

        change = {"symbol": symbol, "at": edge(at, "at"), "factor": factor, "calendar": calendar}
        content = msgspec.json.encode(change)
        headers = {"Content-Type": "application/json"}
        found = self._connection.json(
            "PUT", "/v1/splits", headers=headers, content=lambda: content, again=factor is not None
        )
        return Split(moment(found["time"], "time"), found["factor"])

    def flags(self) -> list[dict[str, Any]]:
        """Each flag: ``name``, ``value``, ``origin``."""
        found: list[dict[str, Any]] = self._connection.json("GET", "/v1/flags")
        return found

    def set_flag(self, name: str, value: Any, why: str) -> dict[str, Any]:
        """Set a flag from now on, with a reason for the journal; the flag as it is then. Sent once."""
        import msgspec

        content = msgspec.json.encode({"name": name, "value": value, "why": why})
        headers = {"Content-Type": "application/json"}
        found: dict[str, Any] = self._connection.json(
            "PUT", "/v1/flags", headers=headers, content=lambda: content, again=False
        )
        return found

    def rollout(self) -> dict[str, Any]:
        """How far the rollout is, whether it is killed, and what arms and guards see."""
        found: dict[str, Any] = self._connection.json("GET", "/v1/rollout")
        return found

    def status(self) -> dict[str, Any]:
        """Health, rollout and figures of the server."""
        found: dict[str, Any] = self._connection.json("GET", "/v1/status")
        return found

    def about(self) -> dict[str, Any]:
        """Which process and store it is: ``pid version store``. Asked once, without the key: whoever is there may be
        somebody else."""
        found: dict[str, Any] = self._connection.json(
            "GET", "/v1/health/live", timeout=CONNECT_SECONDS, again=False, key=False
        )
        return found
