"""Tally: one incident for each key and window, and two counts that stay what they say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery import tally as module
from candlewick.delivery.evidence import e_value
from candlewick.delivery.tally import Tally

WINDOW = 20.0
tosses = st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 30), st.booleans()), max_size=60)


@given(tosses)
def test_counts_are_those_of_a_plain_loop(found: list[tuple[str, float, bool]]) -> None:
    tally, now = Tally(), 0.0
    incidents: list[tuple[str, float, bool]] = []
    for key, gap, blames in found:
        now += gap
        tally = tally.add(key, now, blames, WINDOW)
        if all(now - at >= WINDOW for known, at, _ in incidents if known == key):
            incidents.append((key, now, blames))
    repeated = []
    for place, (key, _, blames) in enumerate(incidents):
        before = [one[2] for one in incidents[:place] if one[0] == key]
        if before and before[-1]:
            repeated.append(blames)
    assert (tally.incidents, tally.blaming_v2) == (len(incidents), sum(one[2] for one in incidents))
    assert (tally.repeated, tally.repeated_blaming_v2) == (len(repeated), sum(repeated))
    right = (e_value(tally.incidents, tally.blaming_v2) + e_value(tally.repeated, tally.repeated_blaming_v2)) / 2
    assert tally.e_value == right


def test_a_caller_that_tries_again_is_one_incident() -> None:
    tally = Tally()
    for second in (0, 1, 3, 7, 15):
        tally = tally.add("A", float(second), True, WINDOW)
    assert tally.incidents == 1
    assert tally.add("A", 20.0, True, WINDOW).incidents == 2


def test_a_pair_that_comes_late_is_none_either() -> None:
    tally = Tally().add("A", 100.0, True, WINDOW)
    assert tally.add("A", 90.0, True, WINDOW) is tally


def test_the_keys_blamed_come_newest_first_and_are_ten_at_most() -> None:
    tally = Tally()
    for place in range(12):
        tally = tally.add(f"K{place}", float(place), True, WINDOW)
    tally = tally.add("good", 13.0, False, WINDOW).add("K3", 40.0, True, WINDOW)
    assert tally.blamed == ["K3", "K11", "K10", "K9", "K8", "K7", "K6", "K5", "K4", "K2"]


def test_more_keys_than_are_remembered() -> None:
    tally = Tally()
    for place in range(module.REMEMBERED + 1):
        # What is added lies in one mapping, so that building it here costs little.
        tally.last[f"K{place}"] = (0.0, True)  # type: ignore[index]
    tally = tally.add("new", 1.0, True, WINDOW)
    assert len(tally.last) == (module.REMEMBERED + 2) - (module.REMEMBERED + 2) // 2
    assert "new" in tally.last
    assert "K0" not in tally.last
