"""Outbox: nothing that matters is lost between a series and a client that reads slowly, and no more waits than may."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from candlewick.live.message import FINAL, FORMING, GAP, REVISION, SNAPSHOT, Message, gap, revised
from candlewick.live.outbox import Outbox, Waiting

MARKS = st.sampled_from([b'"a"', b'"b"'])
MESSAGES = st.one_of(
    st.builds(lambda kind, time, body: Message(kind, body, time), st.sampled_from([FORMING, FINAL]), st.integers(0, 9),
              st.binary(max_size=9)),
    st.builds(revised, st.integers(1, 99), st.integers(0, 9)),
    st.builds(gap, st.integers(0, 4), st.integers(5, 9)),
)  # fmt: skip


def all_of(outbox: Outbox) -> list[Waiting]:
    found = []
    while (one := outbox.pop()) is not None:
        found.append(one)
    return found


def applied(waiting: list[tuple[bytes, Message]]) -> dict[bytes, dict[int, Any]]:
    """What clients have in the end: of each bar the last message about it; ``again`` where they read it again."""
    known: dict[bytes, dict[int, Any]] = {b'"a"': {}, b'"b"': {}}
    for mark, message in waiting:
        if message.kind == REVISION:
            known[mark] |= dict.fromkeys(range(message.time, 10), "again")
        elif message.kind in (FORMING, FINAL):
            known[mark][message.time] = message.body
    return known


@given(st.lists(st.tuples(MARKS, MESSAGES, st.booleans()), max_size=40), st.integers(0, 40))
def test_who_reads_late_has_in_the_end_what_who_reads_at_once_has(put: Any, read: int) -> None:
    outbox = Outbox()
    taken: list[tuple[bytes, Message]] = []
    for place, (mark, message, asked) in enumerate(put):
        outbox.put(mark, message, asked=asked)
        if place == read:
            one = outbox.pop()
            taken += [] if one is None else [(one.mark, one.message)]
    taken += [(one.mark, one.message) for one in all_of(outbox)]
    late, right = applied(taken), applied([(mark, message) for mark, message, _ in put])
    for mark, bars in right.items():
        assert late[mark].keys() == bars.keys()
        # What is read again is never older than a message.
        assert all(late[mark][time] in (bar, "again") for time, bar in bars.items())
    gaps = [message for _, message, _ in put if message.kind == GAP]
    assert [message for _, message in taken if message.kind == GAP] == gaps
    assert (outbox._bytes, outbox._count, outbox.asked, outbox._forming, len(outbox)) == (0, 0, 0, {}, 0)


def test_of_a_forming_bar_only_the_newest_state_waits() -> None:
    outbox = Outbox()
    for k in range(100):
        outbox.put(b'"a"', Message(FORMING, b"%d" % k, 5))
    assert [one.message.body for one in all_of(outbox)] == [b"99"]
    outbox.put(b'"a"', Message(FORMING, b"1", 5))
    outbox.put(b'"a"', Message(FINAL, b"2", 5))
    assert [one.message.body for one in all_of(outbox)] == [b"2"]


def test_what_is_newer_stands_behind_what_is_older() -> None:
    outbox = Outbox()
    outbox.put(b'"a"', Message(FORMING, b"old", 5, revision=1))
    outbox.put(b'"a"', revised(2, 7))
    outbox.put(b'"a"', Message(FORMING, b"new", 5, revision=3))
    assert [one.message.revision for one in all_of(outbox)] == [2, 3]


def test_two_revisions_are_one_that_reaches_as_far_back() -> None:
    outbox = Outbox()
    outbox.put(b'"a"', revised(1, 3, 0.5))
    outbox.put(b'"b"', revised(1, 1))
    outbox.put(b'"a"', revised(2, 6, 0.7))
    left = all_of(outbox)
    assert [one.mark for one in left] == [b'"b"', b'"a"']
    assert left[1].message.text(b'"a"') == b'{"kind":"revision","id":"a","revision":2,"from":3}'
    assert left[1].message.written == 0.7


def test_too_much_is_known_and_what_was_asked_for_does_not_count() -> None:
    outbox = Outbox(messages=3, size=1000)
    outbox.put(b'"a"', Message(SNAPSHOT, b"x" * 5000), asked=True)
    for k in range(3):
        outbox.put(b'"a"', Message(FINAL, b"x", k))
    assert not outbox.overflown
    assert outbox.asked > 5000
    outbox.put(b'"a"', Message(FINAL, b"x", 4))
    assert outbox.overflown
    large = Outbox(messages=3, size=1000)
    large.put(b'"a"', Message(FINAL, b"x" * 1000, 4))
    assert large.overflown


def test_nothing_is_sent_of_what_is_forgotten() -> None:
    outbox = Outbox()
    for mark in (b'"a"', b'"b"'):
        outbox.put(mark, Message(FORMING, b"x", 1))
    outbox.forget(b'"a"')
    assert [one.mark for one in all_of(outbox)] == [b'"b"']
