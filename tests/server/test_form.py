"""Form: the best one that the caller takes, by its own qualities; what fits none is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.server.form import ARROW, JSON, JSON_ONLY, KINDS, LONGEST, form_of
from candlewick.server.problem import Refusal
from candlewick.service.packed import CODINGS, PACKED_FROM


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        (b"", JSON),
        (b"*/*", JSON),
        (b"application/*", JSON),
        (b"application/json", JSON),
        (b"Application/JSON; charset=utf-8", JSON),
        (b"application/vnd.apache.arrow.stream", ARROW),
        (b"application/vnd.apache.arrow.stream, application/json", JSON),
        (b"application/vnd.apache.arrow.stream, application/json;q=0.9", ARROW),
        (b"application/vnd.apache.arrow.stream;q=0.5, */*;q=0.4", ARROW),
        (b"application/json;q=0, */*", ARROW),
        (b"application/json;q=0.1, application/*;q=0.2", ARROW),
        (b"text/html, application/xhtml+xml, */*;q=0.8", JSON),
        (b"application/json;q=2, application/vnd.apache.arrow.stream;q=0.1", ARROW),
        (b"application/json ; q = 1.000", JSON),
    ],
)
def test_what_a_caller_accepts(accept: bytes | None, media: str) -> None:
    assert form_of(accept, None).media == media


@pytest.mark.parametrize(
    "accept", [b"text/html", b"*/*;q=0", b"application/json;q=0", b"application/json;q=x", b";;", b"a" * (LONGEST + 1)]
)
def test_what_fits_no_form_is_refused(accept: bytes) -> None:
    with pytest.raises(Refusal, match="Accept") as refused:
        form_of(accept, None)
    assert refused.value.status == 406


def test_where_there_is_only_json_arrow_is_refused() -> None:
    assert form_of(b"*/*", None, JSON_ONLY).media == JSON
    with pytest.raises(Refusal, match=r"accept application/json$"):
        form_of(ARROW.encode(), None, JSON_ONLY)


@pytest.mark.parametrize(
    ("encoding", "coding", "least"),
    [
        (None, None, PACKED_FROM),
        (b"", None, PACKED_FROM),
        (b"identity", None, PACKED_FROM),
        (b"gzip", "gzip", PACKED_FROM),
        (b"gzip, deflate, br, zstd", "zstd", PACKED_FROM),
        (b"zstd;q=0.5, gzip", "gzip", PACKED_FROM),
        (b"gzip;q=0.5, identity", None, PACKED_FROM),
        (b"gzip, identity;q=0.5", "gzip", PACKED_FROM),
        (b"gzip;q=1, identity;q=1", "gzip", PACKED_FROM),
        (b"*", "zstd", PACKED_FROM),
        (b"*, zstd;q=0", "gzip", PACKED_FROM),
        (b"br", None, PACKED_FROM),
        (b"gzip;q=0", None, PACKED_FROM),
        (b"identity;q=0, gzip", "gzip", 0),
        (b"gzip, *;q=0", "gzip", 0),
        (b"identity;q=0, *", "zstd", 0),
        (b"identity, *;q=0", None, PACKED_FROM),
        (b"gzip" + b"," * LONGEST, None, PACKED_FROM),
    ],
)
def test_what_a_caller_can_unpack(encoding: bytes | None, coding: str | None, least: int) -> None:
    found = form_of(None, encoding)
    assert (found.coding, found.least) == (coding, least)


@pytest.mark.parametrize("encoding", [b"identity;q=0", b"*;q=0", b"br, identity;q=0", b"gzip;q=0, zstd;q=0, *;q=0"])
def test_what_can_be_unpacked_by_nothing_is_refused(encoding: bytes) -> None:
    with pytest.raises(Refusal, match="Accept-Encoding"):
        form_of(None, encoding)


def test_every_form_has_a_tag_of_its_own() -> None:
    tags = {
        form_of(media.encode(), (coding or "identity").encode()).tag("classic-1-f", coding)
        for media in KINDS
        for coding in (None, *CODINGS)
    }
    assert len(tags) == len(KINDS) * (1 + len(CODINGS))
    assert '"classic-1-f"' in tags


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_headers_have_a_form_or_a_refusal(accept: bytes, encoding: bytes) -> None:
    with suppress(Refusal):  # anything else is no way to refuse
        found = form_of(accept, encoding)
        assert KINDS[found.media] == found.kind
        assert found.coding in (None, *CODINGS)


QUALITIES = st.integers(0, 1000).map(lambda thousandths: f"{thousandths / 1000:.3f}")


@given(QUALITIES, QUALITIES)
def test_the_higher_quality_wins(json: str, arrow: str) -> None:
    header = f"{ARROW};q={arrow},{JSON};q={json}".encode()
    if float(json) == float(arrow) == 0.0:
        with pytest.raises(Refusal):
            form_of(header, None)
    else:
        assert form_of(header, None).media == (JSON if float(json) >= float(arrow) else ARROW)
