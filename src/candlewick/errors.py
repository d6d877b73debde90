"""Every error that candlewick raises on purpose, as one tree.

CandlewickError
├── InputError (ValueError)         what was given cannot be used: names parameter, value and what would be right
│   ├── UnknownNameError            a name outside a closed set; carries the nearest known ones
│   ├── NaiveTimeError              a time that does not say its timezone
│   ├── MissingColumnError          a table or file without a column that is needed
│   ├── FileFormatError             a file that is not what its name says, or is empty
│   ├── HorizonError                a time for which the calendar has no sessions
│   ├── HistoryError                a time as of which it is no longer known what was stored; carries from when on it is
│   ├── StateError                  saved state that does not fit what it is loaded into
│   └── LimitError                  an answer larger than its limit; carries how many bars it would have
├── ServiceError                    the service cannot answer now
│   ├── DeadlineError (TimeoutError)  not done in the time given
│   ├── OverloadedError             the queue is full; carries when to come again
│   ├── UnreachableError            no server answers at an address; carries which
│   └── EngineError                 an engine failed; carries which, and the kind of failure
├── AccessError (PermissionError)   a server does not let the caller do it
│   ├── KeyNeededError              no key, or one that is not valid
│   ├── RoleError                   the key's role does not suffice
│   └── RateLimitError              too many requests; carries when to come again
├── KilledError                     refused while the rollout is killed
└── StoreError                      the store cannot do what was asked
    ├── StoreBusyError              another process owns the store; carries who
    ├── StoreUnavailableError       the database does not answer now; carries when to come again
    ├── StoreVersionError           the store was written by a newer candlewick
    └── UnknownSeriesError (KeyError)  no such symbol or timeframe in the store
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class CandlewickError(Exception):
    """Base of every error raised on purpose. Pickled whole, so that it crosses to another process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args), self.__dict__


class InputError(CandlewickError, ValueError):
    """What was given cannot be used. ``parameter``, ``value`` and ``expected`` say what, and what would be right."""

    def __init__(self, parameter: str, value: object, expected: str, problem: str = "is not valid") -> None:
        self.parameter = parameter
        self.value = value
        self.expected = expected
        self.problem = problem
        super().__init__(f"{parameter}: {_shown(value)} {problem}; {expected}")


class UnknownNameError(InputError):
    """A name outside a closed set. ``nearest`` holds the known names that look most like it."""

    def __init__(self, parameter: str, value: object, known: Iterable[str], *, expected: str = "") -> None:
        names = list(known)
        by_fold = {name.casefold(): name for name in names}
        close = get_close_matches(str(value).casefold(), list(by_fold), n=3, cutoff=0.5)
        self.nearest = [by_fold[name] for name in close]
        hint = f"nearest: {', '.join(self.nearest)}" if self.nearest else f"known: {', '.join(names[:40]) or 'none'}"
        super().__init__(parameter, value, f"{expected}; {hint}" if expected else hint, "is unknown")


class NaiveTimeError(InputError):
    """A time without a timezone."""

    def __init__(self, parameter: str, value: object, expected: str = "") -> None:
        right = expected or "give an offset (2024-01-02T09:30:00-05:00), Z, or a timezone"
        super().__init__(parameter, value, right, "has no timezone")


class MissingColumnError(InputError):
    """A table or file without a column that is needed."""

    def __init__(self, parameter: str, column: str, found: Iterable[str], known: Iterable[str] = ()) -> None:
        self.column = column
        names = ", ".join(known)
        hint = f"; recognised for it: {names}" if names else ""
        expected = f"the columns found are: {', '.join(found) or 'none'}{hint}"
        super().__init__(parameter, column, expected, "column is missing")


class FileFormatError(InputError):
    """A file that is not what its name says, or is empty."""


class HorizonError(InputError):
    """A time outside the sessions that the calendar knows."""


class HistoryError(InputError):
    """A time as of which it is no longer known what was stored. ``kept_from``: ISO UTC, from when on it is known."""

    def __init__(self, value: object, kept_from: str, expected: str) -> None:
        self.kept_from = kept_from
        super().__init__("as_of", value, expected, "is before what is kept")


class StateError(InputError):
    """Saved state that does not fit what it is loaded into."""


class LimitError(InputError):
    """An answer larger than its limit. ``bars`` says how many it would have."""

    def __init__(self, limit: int, bars: int) -> None:
        self.bars = bars
        expected = "ask for a shorter range or raise the limit"
        super().__init__("limit", limit, expected, f"is less than the {bars} bars of the range")


class ServiceError(CandlewickError):
    """The service cannot answer now."""


class DeadlineError(ServiceError, TimeoutError):
    """Not done in the time given. ``seconds`` says how long that was."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"deadline: not done within {seconds:g} s")


class OverloadedError(ServiceError):
    """The queue is full. ``retry_after``: seconds after which to come again."""

    def __init__(self, waiting: int, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"overloaded: {waiting} requests wait already; come again in {retry_after:g} s")


class UnreachableError(ServiceError):
    """Nothing that speaks as a candlewick server answers at an address. ``address`` says which."""

    def __init__(self, address: str, reason: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(f"server: {address} cannot be reached: {reason}")


class EngineError(ServiceError):
    """An engine failed. ``engine`` and ``kind`` (the exception's type) say which and how."""

    def __init__(self, engine: str, kind: str, text: str) -> None:
        self.engine = engine
        self.kind = kind
        super().__init__(f"engine {engine} failed: {kind}: {text}")


class AccessError(CandlewickError, PermissionError):
    """A server does not let the caller do it. Never carries a key."""


class KeyNeededError(AccessError):
    """No key came, or one that is unknown or revoked: which of the two is not told."""

    def __init__(self, problem: str = "is needed") -> None:
        super().__init__(f"key: {problem}; set CANDLEWICK_KEY, or send the header Authorization: Bearer KEY")


class RoleError(AccessError):
    """The key is valid, and its ``role`` does not suffice."""

    def __init__(self, role: str, needed: str, act: str) -> None:
        self.role = role
        super().__init__(f"role: {role!r} does not suffice for {act}; use a key with the role {needed}")


class RateLimitError(AccessError):
    """Too many requests. ``retry_after``: seconds after which to come again."""

    def __init__(self, what: str, rate: float, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"rate: more than {rate:g} {what} a second; come again in {retry_after:.2g} s")


class KilledError(CandlewickError):
    """Refused while the rollout is killed."""


class StoreError(CandlewickError):
    """The store cannot do what was asked."""


class StoreBusyError(StoreError):
    """Another process owns the store. ``owner`` says who."""

    def __init__(self, url: str, owner: str) -> None:
        self.url = url
        self.owner = owner
        super().__init__(f"store: {url} is owned by {owner}; stop it, or use another --store")


class StoreUnavailableError(StoreError):
    """The database does not answer now: nothing was changed, or a commit was not confirmed, and a write may be sent
    again. ``retry_after``: seconds after which to come again."""

    def __init__(self, url: str, reason: str, retry_after: float = 1.0) -> None:
        self.url = url
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"store: {url} does not answer now: {reason}")


class StoreVersionError(StoreError):
    """The store was written by a newer candlewick, or its tables wait for ``candlewick store migrate``."""


class UnknownSeriesError(StoreError, KeyError):
    """No such symbol or timeframe in the store. ``nearest`` holds the stored names that look most like it.

    ``problem``: what to say instead, where a series was not there at another time.
    """

    def __init__(self, parameter: str, value: str, known: Iterable[str] = (), *, problem: str | None = None) -> None:
        names = sorted(set(known))
        self.parameter = parameter
        self.value = value
        self.nearest = get_close_matches(value, names, n=3, cutoff=0.6)
        hint = (
            f"nearest: {', '.join(self.nearest)}" if self.nearest else f"stored: {', '.join(names[:20]) or 'nothing'}"
        )
        self.message = f"{parameter}: {value!r} {problem or f'is not in the store; {hint}'}"
        super().__init__(self.message)

    def __str__(self) -> str:  # KeyError would show its argument quoted
        return self.message


def _shown(value: object) -> str:
    text = repr(value.isoformat() if isinstance(value, dt.date) else value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _restored(kind: type[CandlewickError], arguments: tuple[Any, ...]) -> CandlewickError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments  # those that are also an OSError, as TimeoutError is, would have none
    return error
