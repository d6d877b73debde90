"""The laws that every indicator owes, as a base class for tests.

A user's own indicator is held to them by three lines::

    class TestMine(IndicatorLaws):
        indicator = Mine(14)
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from candlewick.engine import laws
from candlewick.engine.trial_bars import TRIALS, bars_from_closes
from candlewick.indicators import Indicator, parse_indicators
from candlewick.kernels.build import jit_disabled

LENGTH = 150 if jit_disabled() else laws.TRIAL_LENGTH
"""Bars of a trial; as plain Python (for coverage) a shorter one."""


class IndicatorLaws:
    """Tests of one indicator: definition, split at every cut, prefix, bounds on hostile series, checked pointers."""

    indicator: ClassVar[Indicator]

    def test_definition(self) -> None:
        laws.check_definition(self.indicator)

    def test_text_form_gives_the_definition_back(self) -> None:
        assert parse_indicators(self.indicator.text) == (self.indicator,)

    @pytest.mark.parametrize("trial", TRIALS)
    def test_split_law(self, trial: str) -> None:
        bars = TRIALS[trial](LENGTH)
        laws.check_split(self.indicator, bars, [1, 2, 37, 256, 511, 512, 513, 650])

    def test_split_law_at_every_cut(self) -> None:
        bars = TRIALS["ordinary"](60 if jit_disabled() else 560)
        for cut in range(1, len(bars)):
            laws.check_cut(self.indicator, bars, cut)

    @pytest.mark.parametrize("trial", TRIALS)
    def test_prefix_law(self, trial: str) -> None:
        laws.check_prefix(self.indicator, TRIALS[trial](LENGTH), [0, 1, 2, 13, 40, 100, 140])

    @pytest.mark.parametrize("trial", TRIALS)
    def test_bounds_law(self, trial: str) -> None:
        laws.check_bounds(self.indicator, TRIALS[trial](LENGTH), trial=trial)

    def test_every_read_is_inside_what_the_step_may_look_at(self) -> None:
        """The plain form, whose pointers refuse what is outside, gives the compiled form's bits."""
        bars = TRIALS["ordinary"](self.indicator.warm_up + 80)
        laws.check_split(self.indicator, bars, [7, 31], plain=True)
        plain = laws.whole(self.indicator, bars, plain=True)
        compiled = laws.whole(self.indicator, bars)
        assert np.array_equal(plain.view(np.int64)[~np.isnan(plain)], compiled.view(np.int64)[~np.isnan(compiled)])
        assert np.array_equal(np.isnan(plain), np.isnan(compiled))

    def test_a_series_of_one_bar_and_of_none(self) -> None:
        for bars in (0, 1):
            values = laws.whole(self.indicator, bars_from_closes(np.full(bars, 100.0)))
            assert values.shape == (len(self.indicator.columns), bars)
