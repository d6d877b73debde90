"""Shared: what several symbols of one calendar lack at the same time, told once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from candlewick.completeness.finding import ABSENT, Finding, Kind, ordered

LEEWAY = 0.1
"""Share of a gap's length by which those of two symbols may begin and end apart: minutes without a trade lie beside."""

CANDLES = 5
"""The same in candles, at least."""

WITHIN = frozenset({Kind.MISSING_MINUTES, Kind.STALE_PRICE, Kind.FLAT_BARS})
"""Kinds with such a leeway. Newest candles may lie a few candles apart; sessions are the same or are not."""

MERGED = ABSENT | WITHIN


def shared(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, those of several symbols as one: with the widest bounds, the largest count, and every symbol."""
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    told = []
    for one in findings:
        if one.kind in MERGED and one.evidence.get("stored", True):
            groups[one.kind, one.timeframe, one.calendar, bool(one.evidence.get("scattered"))].append(one)
        else:
            told.append(one)
    for members in groups.values():
        told += _joined(members)
    return ordered(told)


def _joined(members: list[Finding]) -> list[Finding]:
    near: list[dict[str, Finding]] = []
    done: list[dict[str, Finding]] = []
    for one in sorted(members, key=lambda one: (one.start, one.end, one.symbol)):
        apart: list[dict[str, Finding]] = []
        home = None
        for cluster in near:
            lead = next(iter(cluster.values()))
            reach = min(_reach(lead), _reach(one))
            if one.start - lead.start > _reach(lead):
                done.append(cluster)  # what comes now begins further away still
                continue
            apart.append(cluster)
            together = one.start - lead.start <= reach and abs(one.end - lead.end) <= reach
            if home is None and together and one.symbol not in cluster:
                home = cluster
        near = apart
        if home is None:
            near.append({one.symbol: one})
        else:
            home[one.symbol] = one
    return [_one(cluster) for cluster in (*done, *near)]


def _reach(one: Finding) -> int:
    candles = CANDLES * one.timeframe.microseconds
    if one.kind in WITHIN:
        return max(candles, int(LEEWAY * (one.end - one.start)))
    return candles if one.kind is Kind.LATE else 0


def _one(cluster: dict[str, Finding]) -> Finding:
    if len(cluster) == 1:
        return next(iter(cluster.values()))
    names = tuple(sorted(cluster))
    largest = max(cluster.values(), key=lambda one: (one.count, one.symbol))
    return replace(
        largest,
        symbol=names[0],
        symbols=names,
        start=min(one.start for one in cluster.values()),
        end=max(one.end for one in cluster.values()),
        evidence={"symbols": len(names)} | largest.evidence,
    )
