"""Form: in which form a caller takes an answer, by what its ``Accept`` and ``Accept-Encoding`` say."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from candlewick.errors import InputError
from candlewick.server.problem import Refusal
from candlewick.service.packed import CODINGS

JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
KINDS = {JSON: "json", ARROW: "arrow"}
"""Media type to the name that `Answer.encoded` knows; the first one where a caller takes both alike."""

LONGEST = 1024
"""Bytes of a header that are looked at; a longer one is refused."""

_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


@dataclass(frozen=True)
class Form:
    """``kind`` and ``coding`` as `Answer.encoded` takes them; ``media`` for the header."""

    media: str
    kind: str
    coding: str | None

    def tag(self, mark: str, coding: str | None) -> str:
        """The entity tag of an answer called ``mark`` in this form: another one for every form."""
        parts = [mark, *([self.kind] if self.kind != "json" else []), *([coding] if coding else [])]
        return f'"{"-".join(parts)}"'


def form_of(accept: bytes | None, encoding: bytes | None) -> Form:
    """The best form that fits both headers. Raises Refusal (406) where none does."""
    if len(accept or b"") > LONGEST or len(encoding or b"") > LONGEST:
        return _negotiated(accept and accept[: LONGEST + 1], encoding and encoding[: LONGEST + 1])
    return _remembered(accept, encoding)


def _negotiated(accept: bytes | None, encoding: bytes | None) -> Form:
    media = JSON if accept is None or not accept.strip() else _media(accept.decode("latin-1"))
    return Form(media, KINDS[media], None if encoding is None else _coding(encoding.decode("latin-1")))


_remembered = functools.lru_cache(maxsize=256)(_negotiated)


def _media(accept: str) -> str:
    ranges = _listed(accept) if len(accept) <= LONGEST else {}
    best, quality = "", 0.0
    for media in KINDS:
        group = media.partition("/")[0] + "/*"
        found = next((ranges[name] for name in (media, group, "*/*") if name in ranges), 0.0)
        if found > quality:
            best, quality = media, found
    if not best:
        raise Refusal(406, InputError("Accept", accept[:200], f"accept {' or '.join(KINDS)}", "fits no form"))
    return best


def _coding(encoding: str) -> str | None:
    """None: as it is, which every caller takes that does not say otherwise."""
    taken = _listed(encoding) if len(encoding) <= LONGEST else {}
    rest = taken.get("*", 0.0)
    plain = taken.get("identity")
    best, quality = None, 0.0
    for coding in CODINGS:
        found = taken.get(coding, rest)
        if found > quality:
            best, quality = coding, found
    if plain is None:
        refused = "*" in taken and rest == 0.0
        return best if best is not None or not refused else _no_coding(encoding)
    if best is None and plain == 0.0:
        return _no_coding(encoding)
    return best if quality > plain or (quality == plain and best is not None) else None


def _no_coding(encoding: str) -> str | None:
    expected = f"accept identity, {' or '.join(CODINGS)}"
    raise Refusal(406, InputError("Accept-Encoding", encoding[:200], expected, "fits no form"))


def _listed(text: str) -> dict[str, float]:
    """The names in a list with their qualities; what is malformed is as if it were not there."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().casefold() == "q":
                value = value.strip()
                quality = float(value) if _QUALITY.fullmatch(value) else -1.0
        if name and quality >= 0.0:
            found[name.casefold()] = quality
    return found
