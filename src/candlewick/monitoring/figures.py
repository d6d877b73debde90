"""Figures: what each stage's own snapshot is called at a scrape, with unit and help, in full words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

Source = Callable[[], Any]
"""Gives a snapshot: a frozen dataclass or a mapping of plain values."""


@dataclass(frozen=True)
class Figure:
    """One figure: its full name without ``candlewick_``, what it means, and whether it only rises (a counter)."""

    name: str
    help: str
    rises: bool = False


FIGURES: Mapping[str, Mapping[str, Figure]] = {
    "cache": {
        "hits": Figure("cache_hits", "Look-ups that found the whole answer.", True),
        "extensions": Figure("cache_extensions", "Look-ups that found a part and computed the rest.", True),
        "misses": Figure("cache_misses", "Look-ups that found nothing.", True),
        "evictions": Figure("cache_evictions", "Entries that gave way to others.", True),
        "bytes": Figure("cache_bytes", "Bytes that the entries hold."),
        "entries": Figure("cache_entries", "Entries in the cache."),
    },
    "pool": {
        "workers": Figure("pool_workers", "Threads of the worker pool."),
        "busy": Figure("pool_busy_workers", "Threads that compute now."),
        "queued": Figure("pool_queued_tasks", "Tasks that wait for a thread."),
        "done": Figure("pool_done_tasks", "Tasks that ended well.", True),
        "failed": Figure("pool_failed_tasks", "Tasks that raised.", True),
        "cancelled": Figure("pool_cancelled_tasks", "Tasks that were taken back.", True),
        "expired": Figure("pool_expired_tasks", "Tasks whose deadline passed before they ended.", True),
    },
    "buffers": {
        "free_bytes": Figure("buffer_free_bytes", "Bytes of buffers that wait to be used again."),
        "lent_bytes": Figure("buffer_lent_bytes", "Bytes of buffers that are in use."),
        "taken": Figure("buffers_taken", "Buffers handed out.", True),
        "reused": Figure("buffers_reused", "Buffers handed out that had been used before.", True),
    },
    "rollout": {
        "percentage": Figure("rollout_percentage", "Share of keys on the optimized engine, from 0 to 100."),
        "killed": Figure("rollout_killed", "1 while the kill bit is set: the optimized engine serves nothing."),
        "step": Figure("rollout_step", "Number of the rollout's step; it rises with each change of exposure."),
    },
    "journal": {
        "entries": Figure("journal_entries", "Entries of the control journal.", True),
        "bytes": Figure("journal_bytes", "Size of the control journal's file."),
        "age_seconds": Figure("journal_age_seconds", "Seconds since the control journal was last read."),
    },
    "live": {
        "clients": Figure("stream_clients", "Clients that follow series."),
        "subscriptions": Figure("stream_subscriptions", "Series followed, counted for each client."),
        "series": Figure("stream_series", "Series followed by anybody, each computed once."),
        "waiting": Figure("stream_waiting_series", "Series that wait to be looked at."),
        "looks": Figure("stream_looks", "Looks at a series after a write or when a bar was over.", True),
        "failed_looks": Figure("stream_failed_looks", "Looks at a series that failed.", True),
        "messages_snapshot": Figure("stream_snapshot_messages", "Snapshots sent to clients.", True),
        "messages_forming": Figure("stream_forming_messages", "Forming bars sent to clients.", True),
        "messages_final": Figure("stream_final_messages", "Final bars sent to clients.", True),
        "messages_revision": Figure("stream_revision_messages", "Revisions sent to clients.", True),
        "messages_gap": Figure("stream_gap_messages", "Gaps sent to clients.", True),
        "messages_refused": Figure("stream_refused_messages", "Subscriptions that were refused.", True),
        "messages_bye": Figure("stream_bye_messages", "Clients that were told that the connection ends.", True),
        "dropped_clients": Figure("stream_dropped_clients", "Clients that were dropped for being slow.", True),
        "write_to_sent_seconds": Figure(
            "stream_write_to_sent_seconds", "Seconds from a write to the sending of its messages, summed up.", True
        ),
        "write_to_sent_messages": Figure(
            "stream_write_to_sent_messages", "Messages that these seconds are the sum of.", True
        ),
    },
    "guards": {
        "evaluations": Figure("guard_evaluations", "Times that the guards looked at the arms.", True),
        "breaches": Figure("guard_breaches", "Times that a guard asked for a rollback.", True),
        "rollbacks": Figure("rollbacks", "Rollbacks since the start.", True),
    },
}
"""Group, then the snapshot's own key."""


def plain(snapshot: Any) -> dict[str, Any]:
    """A snapshot as a mapping."""
    if is_dataclass(snapshot) and not isinstance(snapshot, type):
        return asdict(snapshot)
    return dict(snapshot)


def numbers(snapshot: Mapping[str, Any]) -> dict[str, float]:
    """The part of a snapshot that is a figure; a truth is 0 or 1."""
    return {key: float(value) for key, value in snapshot.items() if isinstance(value, int | float)}


def figure_of(group: str, key: str) -> Figure:
    """The declared figure; of one that a stage adds on its own, a gauge that says where it is from."""
    known = FIGURES.get(group, {}).get(key)
    return known or Figure(f"{group}_{key}", f"{key.replace('_', ' ').capitalize()}, a figure of the {group}.")


def hit_ratio(cache: Mapping[str, Any]) -> float | None:
    """Hits and extensions of all look-ups; None before the first one."""
    found = cache.get("hits", 0) + cache.get("extensions", 0)
    looked = found + cache.get("misses", 0)
    return found / looked if looked else None


def utilisation(pool: Mapping[str, Any]) -> float | None:
    """Busy threads of all; None of a pool without threads."""
    workers = pool.get("workers", 0)
    return pool.get("busy", 0) / workers if workers else None
