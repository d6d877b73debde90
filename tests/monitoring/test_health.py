"""Health: decided from checks, each with its reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import StoreError
from candlewick.monitoring.health import Check, Health, examine

REASONS = st.dictionaries(st.text(min_size=1, max_size=8), st.none() | st.text(min_size=1, max_size=8), max_size=6)


@given(REASONS)
def test_ready_when_every_check_is_well(reasons):
    health = examine({name: lambda reason=reason: reason for name, reason in reasons.items()})
    assert health.ready is all(reason is None for reason in reasons.values())
    assert list(health.reasons) == [f"{name}: {reason}" for name, reason in reasons.items() if reason is not None]
    assert health.as_dict()["ready"] is health.ready
    assert list(health.as_dict()["checks"]) == list(reasons)


def test_a_probe_that_raises_is_not_well(caplog):
    def gone():
        raise StoreError("store: gone")

    health = examine({"store": gone, "journal": lambda: {}["x"], "warm_up": lambda: None})
    assert health.reasons == ("store: store: gone", "journal: cannot be checked (KeyError)")
    assert not health.ready
    assert "the check of journal failed" in caplog.text


def test_checks_can_be_added_and_the_first_stays():
    first = Health()
    assert first.ready
    more = first.also(Check("server", "is stopping"))
    assert (first.ready, more.ready, more.reasons) == (True, False, ("server: is stopping",))
