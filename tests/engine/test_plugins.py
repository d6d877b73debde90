"""A user's own indicator: the documented template, found by entry point, held to the laws before it is registered."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import candlewick as cw
from candlewick.engine import plugins
from candlewick.engine.catalogue import catalogue
from candlewick.engine.plugins import RefusedIndicatorError, admit
from candlewick.errors import UnknownNameError
from candlewick.indicators import REGISTRY

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "own-indicator.md"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Installs a distribution whose entry point names ``momentum:Momentum`` with this text."""
    known = dict(REGISTRY)
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._admitted.cache_clear()

    def put(text: str) -> None:
        (tmp_path / "momentum.py").write_text(text, encoding="utf-8")
        information = tmp_path / "momentum-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: momentum\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text("[candlewick.indicators]\nmomentum = momentum:Momentum\n")
        importlib.invalidate_caches()

    yield put
    sys.modules.pop("momentum", None)
    plugins._admitted.cache_clear()
    REGISTRY.clear()
    REGISTRY.update(known)


def template() -> str:
    found = re.search(r"```python\n(# momentum\.py\n.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def candles(count: int = 40) -> cw.Candles:
    close = 100.0 + np.arange(count) ** 2
    return cw.Candles(
        symbol="ACME",
        timeframe="1m",
        calendar="24/7",
        time=np.arange(count) * 60_000_000,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=close,
    )


def test_the_documented_template_is_found_tried_and_computed(install: Callable[[str], None]) -> None:
    install(template())
    frame = cw.compute(candles(), "sma(3),momentum(10)")
    assert frame["momentum_10"][10:].tolist() == (candles().close[10:] - candles().close[:-10]).tolist()
    assert np.isnan(frame["momentum_10"][:10]).all()
    assert "momentum" in catalogue()


def test_the_trial_is_made_once_for_each_version(
    install: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(template())
    catalogue()
    plugins._admitted.cache_clear()
    monkeypatch.setattr(plugins, "check_all", lambda indicator: pytest.fail("tried again"))
    assert "momentum" in catalogue()


@pytest.mark.parametrize(
    ("sound", "broken", "law"),
    [
        ("(x - past[0][i - n],)", "(x - past[0][i - n] + 0.001 * i,)", "split"),
        ("x - past[0][i - n],", "x - past[0][i - n] + 1e-9,", "bounds"),
        ("return self.period\n\n    def exact", "return 0\n\n    def exact", "definition"),
        ('kind = "momentum"', 'kind = "momentum"\n    parts = ("a", "a")', "definition"),
        ("int(parameters[0])", "int(parameters[0]) + len(str(t))", ""),
        ("def momentum_step", "import json\n\n\ndef momentum_step", None),
    ],
)
def test_what_breaks_a_law_is_refused_with_the_reason(
    install: Callable[[str], None], sound: str, broken: str, law: str | None
) -> None:
    text = template()
    assert sound in text
    install(text.replace(sound, broken))
    if law is None:
        assert "momentum" in catalogue()
        return
    with pytest.raises(RefusedIndicatorError, match=f"plug-in: 'momentum' is refused; .*{law}"):
        cw.compute(candles(), "momentum(10)")
    assert "momentum" not in REGISTRY


@pytest.mark.parametrize("thing", [42, dict])
def test_only_indicators_are_admitted(thing: object) -> None:
    with pytest.raises(RefusedIndicatorError, match="subclass of Indicator"):
        admit("thing", thing)


def test_without_plug_ins_an_unknown_name_stays_unknown() -> None:
    plugins._admitted.cache_clear()
    with pytest.raises(UnknownNameError, match="momentum"):
        cw.compute(candles(), "momentum(10)")
