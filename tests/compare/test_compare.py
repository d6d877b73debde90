"""compare: what is put into an export is found and named, alone and in pairs, and nothing else ever is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compare.exports import Export, at_timeframe, closes, quiet, rebuilt, sampled, with_close, without
from tests.compare.injections import INJECTIONS, changed, middle, quiet_rows

import candlewick as cw
from candlewick.candles import VALUES, Candles
from candlewick.compare import compare
from candlewick.compare.comparison import Comparison
from candlewick.compare.formulas import formulas_of
from candlewick.compare.ground import Ground, Way
from candlewick.compare.titles import meaning_of
from candlewick.errors import InputError, UnknownNameError
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore

SMALL = "sma(9),bollinger(20,2),vwap,ema(5),atr(14),rsi(14)"


def names(found: Comparison) -> set[str]:
    return {cause.name for cause in found.causes}


def check(found: Comparison, *expected: str) -> None:
    """Exactly these causes; every differing row has one of them and none is left over."""
    assert names(found) == set(expected)
    assert found.unexplained == ()
    assert all(set(row.causes) & set(expected) and row.explained for row in found.differing)
    assert found.equal + len(found.differing) == found.rows
    for cause in found.causes:
        assert cause.rows == sum(cause.name in row.causes for row in found.differing)
        assert len(cause.first) == min(cause.rows, 5)
        if cause.before is not None and cause.after is not None:
            assert cause.after < cause.before or cause.name == "rounding"


@pytest.mark.parametrize("name", INJECTIONS)
def test_each_cause_is_found_and_named(name, candles, compared):
    ours, export = INJECTIONS[name].made(candles)
    check(compared(ours, export), INJECTIONS[name].name)


@pytest.mark.parametrize("name", INJECTIONS)
@pytest.mark.parametrize(
    "series",
    [
        ("SPY", "XNYS", "15m"),
        *(pytest.param(one, marks=pytest.mark.slow) for one in (
            ("SPY", "XNYS", "5m"),
            ("YESBANK", "XBOM", "5m"),
            ("NIFTY50", "XBOM", "5m"),
            ("BTCUSD", "24/7", "15m"),
            ("AAPL", "XNYS", "1m"),
            ("BAC", "XNYS", "1m"),
            ("IBM", "XNYS", "30m"),
        )),
    ],
    ids="-".join,
)  # fmt: skip
def test_each_cause_is_found_in_real_candles(series, name, real, compared):
    candles = real(*series)
    ours, export = INJECTIONS[name].made(candles)
    check(compared(ours, export), INJECTIONS[name].name)


@pytest.mark.parametrize("series", [("SPY", "XNYS", "15m"), ("BTCUSD", "24/7", "1h"), ("NIFTY50", "XBOM", "15m")])
def test_nothing_is_named_in_real_candles(series, real, compared):
    assert compared(real(*series), Export.of(real(*series))).same


def test_nothing_is_named_when_nothing_differs(candles, minutes, compared):
    for ours, timeframe in ((candles, None), (minutes, "5m")):
        found = compared(ours, Export.of(candles), timeframe)
        assert found.same
        assert found.causes == ()
        assert (found.rows, found.equal) == (len(candles), len(candles))
        assert found.cause("rounding") is None


PAIRS = {
    "rounding and sample deviation": (
        lambda c: (c, sampled(Export.of(c)).rounded(2)),
        {"rounding", "sample_deviation"},
    ),
    "rounding and a missing bar": (
        lambda c: (c, Export.of(without(c, middle(c))).rounded(2)),
        {"rounding", "missing_bar"},
    ),
    "rounding and a changed close": (
        lambda c: (c, Export.of(with_close(c, middle(c), changed(c))).rounded(2)),
        {"rounding", "source"},
    ),
    "rounding and a close that nothing shows": (
        lambda c: (c, Export.of(with_close(c, middle(c), changed(c)), bars=False).rounded(2)),
        {"rounding", "source"},
    ),
    "rounding and history": (lambda c: (c, Export.of(c.rows(80, len(c))).rounded(2)), {"rounding", "history"}),
    "rounding and labels": (
        lambda c: (c, Export.of(c).stamped(closes(c, Export.of(c))).rounded(2)),
        {"rounding", "labels"},
    ),
    "rounding and zero volume": (
        lambda c: (c, Export.of(quiet(c, quiet_rows(c))).rounded(2)),
        {"rounding", "zero_volume"},
    ),
    "sample deviation and history": (
        lambda c: (c, sampled(Export.of(c.rows(80, len(c))))),
        {"sample_deviation", "history"},
    ),
    "sample deviation and a missing bar": (
        lambda c: (c, sampled(Export.of(without(c, middle(c))))),
        {"sample_deviation", "missing_bar"},
    ),
    "sample deviation and a close that nothing shows": (
        lambda c: (c, sampled(Export.of(with_close(c, middle(c), changed(c)), bars=False))),
        {"sample_deviation", "source"},
    ),
    "labels and a missing bar": (
        lambda c: (c, (lambda e: e.stamped(closes(c, e)))(Export.of(without(c, middle(c))))),
        {"labels", "missing_bar"},
    ),
    "labels and sample deviation": (
        lambda c: (c, sampled(Export.of(c)).rows(slice(0, -1)).stamped(Export.of(c).time[1:])),
        {"labels", "sample_deviation"},
    ),
    "labels and a changed close": (
        lambda c: (c, (lambda e: e.stamped(closes(c, e)))(Export.of(with_close(c, middle(c), changed(c))))),
        {"labels", "source"},
    ),
    "history and a missing bar": (
        lambda c: (c, Export.of(without(c, middle(c)).rows(60, len(c) - 1))),
        {"history", "missing_bar"},
    ),
    "history and a changed close": (
        lambda c: (c, Export.of(with_close(c, middle(c), changed(c)).rows(60, len(c)))),
        {"history", "source"},
    ),
    "zero volume and a changed close": (
        lambda c: (c, Export.of(with_close(quiet(c, quiet_rows(c)), middle(c) + 3, changed(c)))),
        {"zero_volume", "source"},
    ),
    "a missing bar and a changed close": (
        lambda c: (c, Export.of(without(with_close(c, middle(c), changed(c)), middle(c) + 12))),
        {"missing_bar", "source"},
    ),
    "sample deviation, history, a missing bar and rounding": (
        lambda c: (c, sampled(Export.of(without(c, middle(c)).rows(60, len(c) - 1))).rounded(2)),
        {"sample_deviation", "history", "missing_bar", "rounding"},
    ),
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", PAIRS)
def test_several_causes_are_told_apart(name, candles, compared):
    made, expected = PAIRS[name]
    ours, export = made(candles)
    check(compared(ours, export), *expected)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), calendar=st.sampled_from(["XNYS", "XBOM", "24/7"]), digits=st.none() | st.just(12))
def test_an_unchanged_export_names_nothing(tmp_path_factory, seed, calendar, digits):
    (minutes,) = simulate(["LAW"], calendar, 2, seed)
    candles = at_timeframe(minutes, "15m")
    export = Export.of(candles, SMALL)
    path = (export if digits is None else export.rounded(digits)).write(tmp_path_factory.mktemp("law") / "export.csv")
    found = compare(minutes, path, timeframe="15m")
    assert found.same, found.causes
    assert found.rows == len(candles)


@pytest.mark.untraced
@settings(max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    place=st.floats(0.15, 0.9),
    move=st.integers(-400, 400).filter(lambda n: abs(n) > 4),
    shown=st.booleans(),
)
def test_a_changed_close_is_named_with_its_bar_and_its_close(tmp_path_factory, seed, place, move, shown):
    (minutes,) = simulate(["LAW"], "XNYS", 2, seed)
    candles = at_timeframe(minutes, "5m")
    row = int(place * len(candles))
    close = max(round(float(candles.close[row]) + move / 100, 2), 0.01)
    if close == candles.close[row]:
        return
    path = Export.of(with_close(candles, row, close), SMALL, bars=shown).write(tmp_path_factory.mktemp("law") / "e.csv")
    found = compare(candles, path)
    check(found, "source")
    (bar,) = found.cause("source").evidence
    assert np.datetime64(bar["bar"].removesuffix("Z")) == candles.time[row]
    assert bar["theirs"]["close"] == close
    assert bar["ours"]["close"] == candles.close[row]
    assert bar["solved"] is not shown


def test_a_missing_bar_lasts_as_long_as_the_window(candles, compared):
    at = middle(candles)
    found = compared(candles, Export.of(without(candles, at), "sma(20)"))
    check(found, "missing_bar")
    rows = [np.datetime64(row.time.removesuffix("Z")) for row in found.differing]
    assert rows == candles.time[at : at + 20].tolist()
    assert found.differing[0].figures == ()
    assert found.differing[0].detail == "the reference has no such bar"


def test_a_changed_close_fades_from_an_average(candles, compared):
    found = compared(candles, Export.of(with_close(candles, middle(candles), changed(candles)), "ema(5)", bars=False))
    check(found, "source")
    first = next(row for row in found.differing)
    (figure,) = first.figures
    assert figure.theirs - figure.ours == pytest.approx((changed(candles) - candles.close[middle(candles)]) / 3)
    assert figure.expected == pytest.approx(figure.theirs)
    assert 20 < len(found.differing) < len(candles) - middle(candles)  # until it is within the tolerance


@pytest.mark.parametrize(
    ("column", "formula"),
    [
        ("ema_9", ("first_value_seed",)),
        ("ema_9", ("wilder_smoothing",)),
        ("ema_9", ("adjusted_weights",)),
        ("ema_50", ("first_value_seed", "wilder_smoothing")),
        ("ema_9", ("source_hl2",)),
        ("rsi_14", ("exponential_smoothing",)),
        ("rsi_14", ("first_value_seed",)),
        ("rsi_14", ("simple_smoothing",)),
        ("atr_14", ("first_bar_range",)),
        ("atr_14", ("exponential_smoothing",)),
        ("atr_14", ("simple_smoothing",)),
        ("sma_9", ("partial_windows",)),
        ("sma_9", ("source_hlc3",)),
        ("wma_14", ("source_ohlc4",)),
        ("true_range", ("first_bar_range",)),
        ("vwap", ("vwap_on_close",)),
        ("vwap", ("anchor_week",)),
        ("vwap", ("vwap_on_close", "anchor_week")),
        ("stddev_20", ("sample_deviation",)),
        ("percent_b_20_2", ("percent",)),
        ("bollinger_20_2_width", ("price_width",)),
        ("bollinger_20_2_width", ("sample_deviation", "percent")),
        ("bollinger_20_2_upper", ("partial_windows",)),
        ("macd_12_26_9_line", ("aligned_seeds",)),
        ("macd_12_26_9_signal", ("simple_signal",)),
        ("macd_12_26_9_histogram", ("first_value_seed",)),
    ],
)
def test_each_formula_is_named(column, formula, candles, compared):
    meaning = meaning_of(column)
    made = next(one for one in formulas_of(meaning) if set(one.names) == set(formula))
    export = Export.of(candles, str(meaning.indicator)).only(*VALUES, column)
    found = compared(candles, export.set(**{column: made.values(cw.aggregate(candles, "5m"))}))
    check(found, *formula)
    assert all(cause.kind == "formula" and cause.columns == (column,) for cause in found.causes)


def test_formulas_that_explain_as_much_are_told(candles, compared):
    meaning = meaning_of("vwap")
    made = next(one for one in formulas_of(meaning) if one.names == ("anchor_first",))
    export = Export.of(candles, "vwap").set(vwap=made.values(cw.aggregate(candles, "5m")))
    found = compared(candles, export)  # three sessions of one week, the first of their month
    check(found, "anchor_week")
    assert found.cause("anchor_week").also == (
        "the sums begin again with each month",
        "the sums never begin again",
    )


def test_a_minute_inside_a_bar(minutes, compared):
    at = 500
    found = compared(minutes, Export.of(at_timeframe(without(minutes, at), "5m")), "5m")
    check(found, "missing_bar")
    (bar,) = found.cause("missing_bar").evidence
    assert bar["detail"] == f"without our candle of {str(minutes.time[at])[:16]}Z it is theirs"
    assert "1 bar made without a candle that we have" in found.cause("missing_bar").says


def test_quiet_minutes_that_change_bars(minutes, compared):
    start = cw.aggregate(minutes, "5m").microseconds[[40, 50, 60]]
    rows = np.searchsorted(minutes.microseconds, start)
    ours = quiet(minutes, rows.tolist())
    theirs = rebuilt(ours, ~np.isin(np.arange(len(ours)), rows))
    found = compared(ours, Export.of(at_timeframe(theirs, "5m")), "5m")
    check(found, "zero_volume")


def test_minutes_made_up_by_the_other_side(minutes, compared):
    starts = cw.aggregate(minutes, "5m").microseconds[[40, 50, 60, 70, 80]]
    rows = np.searchsorted(minutes.microseconds, starts)
    theirs = quiet(minutes, rows.tolist())
    ours = rebuilt(theirs, ~np.isin(np.arange(len(theirs)), rows))
    found = compared(ours, Export.of(at_timeframe(theirs, "5m")), "5m")
    check(found, "zero_volume")
    assert all(bar["action"] == "set" for bar in found.cause("zero_volume").evidence)


@pytest.mark.parametrize(
    ("way", "name"),
    [(Way("clock"), "session_anchor"), (Way(minutes=1), "minute_shift"), (Way(minutes=-1), "minute_shift")],
)
def test_other_buckets(way, name, minutes, compared):
    timeframe = "1h" if way.buckets == "clock" else "5m"
    bars = Ground(minutes, cw.Timeframe.parse(timeframe)).bars(way)
    frame = cw.compute(bars, "ema(3),sma(3),vwap")
    columns = {name: getattr(bars, name) for name in VALUES}
    found = compared(minutes, Export(bars.microseconds.copy(), columns | dict(frame.items())), timeframe)
    check(found, name)


@pytest.mark.parametrize(
    ("by", "words"), [(60, "one minute late"), (-60, "one minute early"), (-300, "early"), (5400, "90 minutes late")]
)
def test_shifted_clocks(by, words, candles, compared):
    export = Export.of(candles)
    found = compared(candles, export.stamped(export.time + by * 1_000_000))
    check(found, "labels")
    assert words in found.cause("labels").says + " ".join(found.cause("labels").also)


def test_the_local_clock_as_if_it_were_utc(compared):
    # The clock changes on 2024-03-10: no single shift would do.
    (minutes,) = simulate(["SIM"], "XNYS", 4, 5, start="2024-03-07")
    candles = at_timeframe(minutes, "15m")
    export = Export.of(candles, SMALL)
    hours = np.where(export.time < 1_710_000_000_000_000, 5, 4) * 3_600_000_000
    found = compared(candles, export.stamped(export.time - hours))
    check(found, "labels")
    assert "local clock" in found.cause("labels").says


def test_daily_bars_of_dates_and_midnights(compared):
    (minutes,) = simulate(["SIM"], "XNYS", 40, 5)
    candles = at_timeframe(minutes, "1d")
    export = Export.of(candles, "sma(5),ema(5)")
    midnight = export.time // 86_400_000_000 * 86_400_000_000
    found = compared(candles, export.stamped(midnight))
    check(found, "labels")
    assert "midnight UTC" in found.cause("labels").says
    check(compared(candles, export.stamped(closes(candles, export))), "labels")


def test_labels_are_found_from_indicators_alone(candles, compared):
    export = Export.of(candles, bars=False)
    found = compared(candles, export.rows(slice(0, -1)).stamped(export.time[1:]))
    check(found, "labels")
    assert "one bar late" in found.cause("labels").says


def test_several_closes_that_nothing_shows(candles, compared):
    theirs = with_close(with_close(candles, 120, changed(candles)), 160, changed(candles) + 1)
    found = compared(candles, Export.of(theirs, bars=False))
    check(found, "source")
    assert [bar["theirs"]["close"] for bar in found.cause("source").evidence] == [theirs.close[120], theirs.close[160]]


def test_a_close_solved_from_the_rsi_alone(candles, compared):
    found = compared(candles, Export.of(with_close(candles, 120, changed(candles)), "rsi(14)", bars=False))
    check(found, "source")
    (bar,) = found.cause("source").evidence
    assert bar["theirs"]["close"] == changed(candles)


def test_volume_in_lots(candles, compared):
    export = Export.of(candles, "vwap")
    found = compared(candles, export.set(volume=export.columns["volume"] / 100))
    check(found, "source")
    assert "volume is 0.01 times ours" in found.cause("source").says


def test_undefined_shown_as_a_number(candles, compared):
    export = Export.of(candles)
    zeros = {name: np.nan_to_num(column) for name, column in export.columns.items()}
    found = compared(candles, export.set(**zeros))
    check(found, "undefined")
    assert found.cause("undefined").says == "undefined values are shown as 0"


def test_extended_hours(shared_data, compared):
    candles = cw.read_csv(shared_data / "minute" / "SPY.csv", timeframe="1m", calendar="XNYS")
    bars = Ground(candles, cw.Timeframe.parse("1h")).bars(Way("all hours"))
    frame = cw.compute(bars, "ema(3),sma(3)")
    columns = {name: getattr(bars, name) for name in VALUES}
    found = compared(candles, Export(bars.microseconds.copy(), columns | dict(frame.items())), "1h")
    check(found, "session_anchor")
    assert "outside sessions too" in found.cause("session_anchor").says


def test_what_nothing_explains_is_said_with_its_figures(candles, compared):
    export = Export.of(candles)
    sma = export.columns["sma_9"].copy()
    sma[100] += 0.3
    found = compared(candles, export.set(sma_9=sma))
    assert found.causes == ()
    (row,) = found.unexplained
    assert (row.causes, row.explained) == ((), False)
    (figure,) = row.figures
    assert (figure.column, figure.theirs, figure.ours) == ("sma_9", sma[100], export.columns["sma_9"][100])
    assert figure.close == pytest.approx(candles.close[100] + 2.7)


def test_noise_is_no_cause(candles, compared):
    export = Export.of(candles)
    noise = np.random.default_rng(1).random(len(candles)) * 100
    found = compared(candles, export.set(rsi_14=noise))
    assert found.causes == ()
    assert len(found.unexplained) == len(candles)


def test_an_export_of_tradingview(candles, tmp_path):
    export = Export.of(candles, "bollinger(20,2),ema(9),ema(50),rsi(14),vwap,macd,atr(14)")
    order = {
        "open": "open", "high": "high", "low": "low", "close": "close", "volume": "Volume",
        "bollinger_20_2_middle": "Basis", "bollinger_20_2_upper": "Upper", "bollinger_20_2_lower": "Lower",
        "ema_9": "EMA", "ema_50": "EMA", "rsi_14": "RSI", "vwap": "VWAP", "macd_12_26_9_histogram": "Histogram",
        "macd_12_26_9_line": "MACD", "macd_12_26_9_signal": "Signal", "atr_14": "Plot",
    }  # fmt: skip
    lines = [",".join(["time", *order.values(), "Plot"])]
    for row, time in enumerate(candles.time.astype("datetime64[s]").tolist()):
        cells = [
            "NaN" if export.columns[name][row] != export.columns[name][row] else repr(float(export.columns[name][row]))
            for name in order
        ]
        lines.append(",".join([f"{time.isoformat()}-00:00", *cells, str(row * 7 % 5)]))
    path = tmp_path / "tradingview.csv"
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    found = compare(candles, path)
    assert found.same, found.causes
    assert {match.ours for match in found.matched} == set(order)
    assert {match.theirs for match in found.matched} >= {"EMA", "EMA#2", "Plot"}
    assert found.unmatched == ("Plot#2",)


def test_titles_that_say_another_average(candles, compared):
    found = compared(candles, Export.of(candles).titled(ema_50="MA 50", sma_9="SMA (9)", ema_5="Whatever"))
    assert found.same
    assert {(m.theirs, m.ours, m.how) for m in found.matched} >= {
        ("MA 50", "ema_50", "fit"),
        ("SMA (9)", "sma_9", "fit"),
        ("Whatever", "ema_5", "fit"),
    }


def test_the_caller_says_which_is_which(candles, compared):
    export = Export.of(candles).titled(ema_50="x", sma_9="y")
    found = compared(candles, export, columns={"x": "ema_50", "y": "sma_10"})
    assert {(m.theirs, m.ours) for m in found.matched if m.how == "given"} == {("x", "ema_50"), ("y", "sma_10")}
    assert len(found.unexplained) == len(candles) - 8
    with pytest.raises(UnknownNameError, match="columns: 'z' is unknown"):
        compared(candles, export, columns={"z": "ema_50"})
    with pytest.raises(InputError, match="names a column twice"):
        compared(candles, export, columns={"x": "ema_50", "y": "ema_50"})


def test_a_store_and_a_table(candles):
    store = MemoryStore()
    store.upsert(candles)
    export = sampled(Export.of(candles))
    table = {"time": export.time.view("datetime64[us]"), **export.columns}
    found = compare(store, table, symbol="SIM", timeframe="5m")
    check(found, "sample_deviation")
    assert found.reference == "reference"
    with pytest.raises(InputError, match="symbol: None is missing"):
        compare(store, table)
    with pytest.raises(InputError, match="timeframe: None is missing"):
        compare(store, table, symbol="SIM")


def test_part_of_the_rows(candles, compared):
    at = middle(candles)
    export = Export.of(without(candles, at))
    before = compared(candles, export, start="2024-01-02", end=candles.time[at])
    assert before.same
    assert before.rows == at
    with pytest.raises(InputError, match="has no row in the range"):
        compared(candles, export, start="2024-01-05")


def test_rows_that_we_do_not_have_are_not_compared(candles, compared):
    found = compared(candles.rows(0, 200), Export.of(candles))
    assert (found.rows, found.beyond, found.same) == (200, len(candles) - 200, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.stamped(e.time + 10**13), "lies outside our series"),
        (lambda e: Export(e.time, {"nothing": np.arange(len(e.time), dtype=float) % 7}), "has no column of ours"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message, candles, compared):
    with pytest.raises(InputError, match=message):
        compared(candles, change(Export.of(candles)))


@pytest.mark.parametrize("tolerance", [-1, 1, float("nan"), "x"])
def test_a_tolerance_that_is_none(tolerance, candles):
    with pytest.raises(InputError, match=r"tolerance: .* give a relative difference"):
        compare(candles, {}, tolerance=tolerance)


def test_a_wider_tolerance_sees_less(candles, compared):
    assert not compared(candles, Export.of(candles).rounded(4)).same
    assert compared(candles, Export.of(candles, "sma(9),ema(5)").rounded(4), tolerance=1e-5).same


def test_plain_values_for_machines(candles, compared):
    found = compared(candles, Export.of(without(candles, middle(candles))).rounded(2))
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["rows"] == found.rows
    assert [cause["name"] for cause in told["causes"]] == [cause.name for cause in found.causes]
    assert len(told["differing_rows"]) == told["differing"] == len(found.differing)
    assert told["differing_rows"][0]["figures"][0].keys() == {
        "column",
        "theirs",
        "ours",
        "expected",
        "explained",
        "close",
    }


def test_golden_values_of_another_library(shared_data, tmp_path):
    """What Stock.Indicators states: every column is found by its numbers, and only where VWAP begins is different."""
    golden = shared_data / "golden"
    candles = cw.read_csv(golden / "quotes_default.csv", symbol="Q", timeframe="1d", calendar="XNYS")
    chosen = {
        "SMA": ("sma", "sma"), "EMA": ("ema", "ema"), "RSI": ("rsi", "rsi"), "ATR": ("atr", "atr"), "TR": ("tr", "tr"),
        "StdDev": ("stdev", "stdDev"), "WMA": ("wma", "wma"), "VWAP": ("vwap", "vwap"), "MACD": ("macd", "macd"),
        "Signal": ("macd", "signal"), "Basis": ("bb", "sma"), "Upper": ("bb", "upperBand"),
        "Lower": ("bb", "lowerBand"), "%K": ("stoch", "oscillator"), "%D": ("stoch", "signal"),
    }  # fmt: skip
    read = {file: json.loads((golden / f"{file}.json").read_text()) for file, _ in chosen.values()}
    quotes = (golden / "quotes_default.csv").read_text(encoding="utf-8-sig").splitlines()
    lines = [f"{quotes[0]},{','.join(chosen)}"]
    for row, quote in enumerate(quotes[1:]):
        values = [read[file][row].get(key) for file, key in chosen.values()]
        lines.append(",".join([quote, *("" if value is None else repr(value) for value in values)]))
    path = tmp_path / "golden.csv"
    path.write_text("\n".join(lines) + "\n")
    found = compare(candles, path)
    check(found, "anchor_first")
    assert found.cause("anchor_first").columns == ("vwap",)
    assert found.unmatched == ()
    assert {match.ours for match in found.matched} >= {"sma_20", "ema_20", "wma_14", "stddev_14", "stochastic_14_3_3_d"}


def test_a_reference_that_is_no_file(candles):
    with pytest.raises(InputError, match=r"reference: 'absent\.csv' is no file"):
        compare(candles, "absent.csv")
    with pytest.raises(InputError, match="is no file"):
        compare(candles, Path("absent.csv"))


def test_a_single_changed_close_of_minutes_is_named_at_its_bar(minutes, compared):
    at = int(np.searchsorted(minutes.microseconds, cw.aggregate(minutes, "5m").microseconds[100])) - 1
    theirs = with_close(minutes, at, round(float(minutes.close[at]) + 0.5, 2))
    found = compared(minutes, Export.of(at_timeframe(theirs, "5m")), "5m")
    check(found, "source")
    (bar,) = found.cause("source").evidence
    assert bar["theirs"]["close"] == theirs.close[at]


def test_candles_of_another_kind_of_series(compared):
    (minutes,) = simulate(["X|Y/Z"], "24/7", 1, 3)
    candles: Candles = at_timeframe(minutes, "15m")
    assert compared(candles, Export.of(candles, SMALL)).symbol == "X|Y/Z"
