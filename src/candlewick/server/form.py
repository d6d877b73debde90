"""Form: in which form a caller takes an answer, by what its ``Accept`` and ``Accept-Encoding`` say."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from candlewick.errors import InputError
from candlewick.server.problem import Refusal
from candlewick.service.packed import CODINGS, PACKED_FROM

JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
KINDS = {JSON: "json", ARROW: "arrow"}
"""Media type to the name that `Answer.encoded` knows; the first one where a caller takes both alike."""

LONGEST = 1024
"""Bytes of a header that are looked at; a longer one is refused."""

LEAST = 0.0005
"""Below any quality that can be written."""

_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


MEDIA = tuple(KINDS)
JSON_ONLY = (JSON,)


@dataclass(frozen=True)
class Form:
    """``media`` for the header; ``kind``, ``coding`` and ``least`` as `Answer.encoded` takes them."""

    media: str
    kind: str
    coding: str | None
    least: int = PACKED_FROM

    def tag(self, mark: str, coding: str | None) -> str:
        """The entity tag of an answer called ``mark`` in this form: another one for every form."""
        parts = [mark, *([self.kind] if self.kind != "json" else []), *([coding] if coding else [])]
        return f'"{"-".join(parts)}"'


def form_of(accept: bytes | None, encoding: bytes | None, media: tuple[str, ...] = MEDIA) -> Form:
    """The best form of those in ``media`` that fits both headers. Raises Refusal (406) where none does."""
    if len(accept or b"") > LONGEST or len(encoding or b"") > LONGEST:
        return _negotiated(accept and accept[: LONGEST + 1], encoding and encoding[: LONGEST + 1], media)
    return _remembered(accept, encoding, media)


def _negotiated(accept: bytes | None, encoding: bytes | None, media: tuple[str, ...]) -> Form:
    chosen = media[0] if accept is None or not accept.strip() else _media(accept.decode("latin-1"), media)
    if encoding is None:
        return Form(chosen, KINDS[chosen], None)
    coding, plain = _coding(encoding.decode("latin-1"))
    return Form(chosen, KINDS[chosen], coding, PACKED_FROM if plain else 0)


_remembered = functools.lru_cache(maxsize=256)(_negotiated)


def _media(accept: str, known: tuple[str, ...]) -> str:
    ranges = _listed(accept) if len(accept) <= LONGEST else {}
    best, quality = "", 0.0
    for media in known:
        group = media.partition("/")[0] + "/*"
        found = next((ranges[name] for name in (media, group, "*/*") if name in ranges), 0.0)
        if found > quality:
            best, quality = media, found
    if not best:
        raise Refusal(406, InputError("Accept", accept[:200], f"accept {' or '.join(known)}", "fits no form"))
    return best


def _coding(encoding: str) -> tuple[str | None, bool]:
    """By what to pack, None for as it is; and whether the caller takes it as it is, too."""
    taken = _listed(encoding) if len(encoding) <= LONGEST else {}
    rest = taken.get("*", 0.0)
    # As it is, an answer fits everybody who does not refuse it, but less than what is asked for by name.
    plain = taken.get("identity", 0.0 if taken.get("*") == 0.0 else LEAST)
    best, quality = None, 0.0
    for coding in CODINGS:
        found = taken.get(coding, rest)
        if found > quality:
            best, quality = coding, found
    if best is None and plain == 0.0:
        expected = f"accept identity, {' or '.join(CODINGS)}"
        raise Refusal(406, InputError("Accept-Encoding", encoding[:200], expected, "fits no form"))
    return best if quality >= plain else None, plain > 0.0


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
