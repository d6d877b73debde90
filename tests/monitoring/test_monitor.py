"""Monitor: what it is told and what it reads, as Prometheus sees it."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from candlewick.monitoring.figures import FIGURES
from candlewick.monitoring.monitor import Monitor
from candlewick.monitoring.tally import BOUNDS, Tally


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def wall(self) -> int:
        return int(self.seconds * 1e6)

    def monotonic(self) -> float:
        return self.seconds


def families(monitor):
    return {family.name: family for family in text_string_to_metric_families(monitor.render().decode())}


def samples(monitor):
    return {
        (one.name, *(one.labels[name] for name in sorted(one.labels))): one.value
        for family in families(monitor).values()
        for one in family.samples
    }


CALLS = st.lists(
    st.tuples(
        st.sampled_from(["classic", "optimized"]),
        st.sampled_from(["classic", "optimized", "explicit"]),
        st.sampled_from([0.0, 0.0005, 0.00050001, 0.02, 3.0, 99.0]),
        st.sampled_from([None, "EngineError", "DeadlineError"]),
        st.booleans(),
        st.sampled_from(["hit", "extension", "miss", "none"]),
    ),
    max_size=40,
)


@given(CALLS)
def test_every_request_is_counted_once_in_its_arm(calls):
    monitor = Monitor()
    for call in calls:
        monitor.record(*call)
    seen = samples(monitor)
    for engine, arm in {call[:2] for call in calls}:
        mine = [call for call in calls if call[:2] == (engine, arm)]
        assert seen["candlewick_requests_total", arm, engine] == len(mine)
        assert seen["candlewick_request_fallbacks_total", arm, engine] == sum(call[4] for call in mine)
        assert seen["candlewick_request_seconds_sum", arm, engine] == pytest.approx(sum(call[2] for call in mine))
        for bound in (*BOUNDS, float("inf")):
            name = "+Inf" if bound == float("inf") else repr(bound)
            held = sum(call[2] <= bound for call in mine)
            assert seen["candlewick_request_seconds_bucket", arm, engine, name] == held
        for kind in ("EngineError", "DeadlineError"):
            count = sum(call[3] == kind for call in mine)
            assert seen.get(("candlewick_request_errors_total", arm, engine, kind), 0) == count
        for outcome in ("hit", "extension", "miss"):
            count = sum(call[5] == outcome for call in mine)
            assert seen.get(("candlewick_request_cache_total", arm, engine, outcome), 0) == count
    assert sum(value for key, value in seen.items() if key[0] == "candlewick_requests_total") == len(calls)


def test_a_failure_that_a_fallback_hid_is_a_failure_of_its_engine():
    monitor = Monitor()
    monitor.record("optimized", "optimized", 0.1, "EngineError", fallback=True)
    seen = samples(monitor)
    assert seen["candlewick_request_errors_total", "optimized", "optimized", "EngineError"] == 1
    assert seen["candlewick_window_errors", "optimized", "EngineError"] == 1
    assert not any(key[0] == "candlewick_requests_total" and "classic" in key[1:] for key in seen)


def test_without_details_there_is_no_histogram():
    monitor = Monitor(detailed=False)
    monitor.record("classic", "classic", 0.1)
    assert not any("request_seconds" in name for name in families(monitor))
    assert samples(monitor)["candlewick_requests_total", "classic", "classic"] == 1
    monitor.detailed = True
    monitor.record("classic", "classic", 0.1)
    assert samples(monitor)["candlewick_request_seconds_count", "classic", "classic"] == 1


def test_every_figure_has_a_full_name_a_unit_and_a_help():
    def source(group):
        return lambda: dict.fromkeys(FIGURES[group], 1)

    monitor = Monitor({group: source(group) for group in FIGURES})
    monitor.record("classic", "classic", 0.1, "EngineError", True, "hit")
    monitor.respond("GET", "/metrics", 200)
    found = families(monitor)
    for name, family in found.items():
        assert re.fullmatch(r"candlewick_[a-z_]+", name), name
        assert family.documentation.endswith("."), name
        assert not re.search(r"(^|_)(ms|pct|num|req|resp|cnt|avg|mem)(_|$)", name), name
    for group in FIGURES.values():
        for figure in group.values():
            assert f"candlewick_{figure.name}" in found


def test_snapshots_are_read_at_the_scrape():
    @dataclass(frozen=True)
    class Stats:
        hits: int
        extensions: int
        misses: int

    now = [Stats(0, 0, 0)]
    monitor = Monitor()
    monitor.watch("cache", lambda: now[0])
    assert ("candlewick_cache_hit_ratio",) not in samples(monitor)  # never 0 of 0
    assert monitor.figures()["cache"]["hit_ratio"] is None
    now[0] = Stats(6, 1, 3)
    assert samples(monitor)[("candlewick_cache_hit_ratio",)] == pytest.approx(0.7)
    assert monitor.figures()["cache"] == {"hits": 6, "extensions": 1, "misses": 3, "hit_ratio": 0.7}


def test_utilisation_is_busy_of_all_workers():
    pool = {"workers": 4, "busy": 3}
    monitor = Monitor({"pool": lambda: pool})
    assert samples(monitor)[("candlewick_pool_utilisation_ratio",)] == 0.75
    pool["workers"] = 0
    assert ("candlewick_pool_utilisation_ratio",) not in samples(monitor)


def test_a_truth_is_a_figure_and_a_text_is_none():
    monitor = Monitor({"rollout": lambda: {"percentage": 12.5, "killed": True, "since": "2024-01-02"}})
    seen = samples(monitor)
    assert (seen[("candlewick_rollout_percentage",)], seen[("candlewick_rollout_killed",)]) == (12.5, 1)
    assert monitor.figures()["rollout"]["since"] == "2024-01-02"


def test_a_figure_that_a_stage_adds_says_where_it_is_from():
    monitor = Monitor({"guards": lambda: {"pairs": 3}})
    family = families(monitor)["candlewick_guards_pairs"]
    assert (family.type, family.documentation) == ("gauge", "Pairs, a figure of the guards.")


def test_a_stage_that_cannot_be_read_takes_no_other_with_it(caplog):
    monitor = Monitor({"cache": lambda: {"hits": 1}, "pool": lambda: 1 / 0})
    seen = samples(monitor)
    assert seen["candlewick_figures_read", "cache"] == 1
    assert seen["candlewick_figures_read", "pool"] == 0
    assert seen[("candlewick_cache_hits_total",)] == 1
    assert monitor.figures()["pool"] is None
    assert "figures of pool cannot be read" in caplog.text


def test_the_windows_follow_the_clock_and_the_step():
    clock = HandClock()
    monitor = Monitor(window=30, clock=clock)
    monitor.record("optimized", "optimized", 0.1)
    clock.seconds += 29
    assert monitor.windows()["optimized"].requests == 1
    clock.seconds += 1
    assert monitor.windows()["optimized"].requests == 0
    monitor.record("optimized", "optimized", 0.1)
    assert monitor.begin("10%")
    assert not monitor.begin("10%")
    assert monitor.windows() == {}
    assert samples(monitor)["candlewick_requests_total", "optimized", "optimized"] == 2  # these only rise


def test_two_monitors_share_nothing_and_the_global_registry_stays_as_it_was():
    before = prometheus_client.generate_latest()
    one, other = Monitor(), Monitor()
    one.record("classic", "classic", 0.1)
    assert b"candlewick_requests_total{" not in other.render()
    assert b"candlewick" not in before
    assert b"candlewick" not in prometheus_client.generate_latest()


def test_threads_lose_no_request():
    monitor = Monitor()

    def many():
        for _ in range(2000):
            monitor.record("optimized", "optimized", 0.001, cache="hit")

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        monitor.render()
    assert samples(monitor)["candlewick_requests_total", "optimized", "optimized"] == 16_000
    assert samples(monitor)["candlewick_request_seconds_bucket", "optimized", "optimized", "+Inf"] == 16_000


def test_counting_keeps_no_more_memory_for_more_requests():
    tally = Tally()
    tally.add("classic", "classic", 0.1, "EngineError", cache="hit")
    before = repr(tally.lines()[0].errors.keys()), len(tally.lines()[0].buckets), len(tally.lines())
    for _ in range(1000):
        tally.add("classic", "classic", 0.1, "EngineError", cache="hit")
    after = repr(tally.lines()[0].errors.keys()), len(tally.lines()[0].buckets), len(tally.lines())
    assert before == after
