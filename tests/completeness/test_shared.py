"""What peers share is told once, in order, and nothing is lost over it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candlewick.completeness.finding import Finding, Kind, Sure, ordered
from candlewick.completeness.shared import shared
from candlewick.timeframe import MINUTE, Timeframe

ONE = Timeframe.parse("1m")


def finding(symbol: str, start: int, end: int, kind: Kind = Kind.MISSING_MINUTES, calendar: str = "XNYS") -> Finding:
    return Finding(kind, symbol, ONE, calendar, start * MINUTE, end * MINUTE, end - start, "candles", Sure.LIKELY)


def test_the_same_gap_of_several_symbols_is_told_once_with_all_of_them() -> None:
    (one,) = shared([finding("B", 100, 160), finding("A", 98, 161), finding("C", 100, 159)])
    assert one.about == ("A", "B", "C")
    assert one.symbol == "A"
    assert (one.start, one.end, one.count) == (98 * MINUTE, 161 * MINUTE, 63)
    assert one.evidence["symbols"] == 3
    assert one.as_dict()["symbols"] == ["A", "B", "C"]


def test_other_gaps_calendars_and_kinds_stay_apart() -> None:
    apart = [
        finding("A", 100, 160),
        finding("B", 120, 160),
        finding("C", 100, 190),
        finding("D", 100, 160, calendar="XBOM"),
        finding("E", 100, 160, Kind.SHORT_SESSION),
        finding("F", 101, 160, Kind.SHORT_SESSION),
        finding("G", 100, 160, Kind.JUMP),
        finding("H", 100, 160, Kind.JUMP),
    ]
    assert len(shared(apart)) == len(apart)
    assert len(shared([finding("A", 100, 160, Kind.LATE), finding("B", 103, 160, Kind.LATE)])) == 1
    assert len(shared([finding("A", 100, 160, Kind.LATE), finding("B", 113, 160, Kind.LATE)])) == 2


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEF"), st.integers(0, 300), st.integers(1, 90), st.sampled_from(list(Kind)[:8])),
        max_size=30,
    )
)
def test_every_symbol_of_every_finding_is_in_one_that_covers_it(drawn: list[tuple[str, int, int, Kind]]) -> None:
    single = [finding(symbol, start, start + many, kind) for symbol, start, many, kind in drawn]
    told = shared(single)
    assert sum(len(one.about) for one in told) == len(single)
    for one in single:
        assert any(
            one.kind is other.kind and one.symbol in other.about and other.start <= one.start and one.end <= other.end
            for other in told
        )
    assert told == ordered(told)
    assert [one.end for one in told] == sorted((one.end for one in told), reverse=True)


def test_amounts_are_words() -> None:
    assert finding("A", 0, 1).amount() == "1 candle"
    assert finding("A", 0, 1200).amount() == "1,200 candles"
