"""Which kernel computes a group: a decision about time, never about values."""

from __future__ import annotations

import threading

import pytest

from candlewick.engine import kernel_choice
from candlewick.engine.kernel_choice import WORTH_FUSING, choose, fuse_later, fuse_now
from candlewick.engine.plan import LARGEST, alone, plan
from candlewick.engine.shape import Group
from candlewick.indicators import parse_indicators


@pytest.mark.parametrize(
    ("built", "members", "missing", "expected"),
    [(True, 8, 0, True), (False, 1, 0, True), (False, 8, 4, True), (False, 8, 3, False), (False, 2, 0, False)],
)
def test_fuse_now(built: bool, members: int, missing: int, expected: bool) -> None:
    assert fuse_now(built, members, missing) is expected


def test_fuse_later() -> None:
    assert not fuse_later(WORTH_FUSING - 1)
    assert fuse_later(WORTH_FUSING)


def test_singles_serve_while_the_group_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group.of(parse_indicators("sma(9),sma(10),sma(11,high)"))
    compiled = threading.Event()
    monkeypatch.setattr(kernel_choice, "_ready", set())
    monkeypatch.setattr(kernel_choice, "_on_disk", lambda shape: len(shape.members) == 1)
    monkeypatch.setattr(kernel_choice, "batch_kernel", lambda shape: compiled.set())
    monkeypatch.setattr(kernel_choice, "_compiling", {})
    monkeypatch.setattr(kernel_choice, "_work", kernel_choice.Counter())
    assert choose(group, 1000) == alone(group)
    assert not compiled.is_set()
    assert choose(group, WORTH_FUSING) == alone(group)
    assert compiled.wait(10)


def test_plan_groups_like_kinds_and_keeps_the_asked_order() -> None:
    made = plan(parse_indicators([f"sma({n})" for n in range(2, 12)] + ["vwap", "ema(3)"]))
    assert [len(group.indicators) for group in made.groups] == [LARGEST, 4]
    assert made.columns[-2:] == ("vwap", "ema_3")
    assert sorted(made.rows.values()) == list(range(12))
    assert made.groups[0].indicators[0].kind == "ema"
    assert made.warm_up == 10
