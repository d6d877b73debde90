"""leaks: how many bytes V2 keeps of each request, over many requests (`growth.py` says how that is counted)."""

from __future__ import annotations

from typing import Any

from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.growth import measure_growth
from candlewick.validator.result import Result, judged
from candlewick.validator.slope import slope_of

NAME = "leaks"


def run(context: Context) -> Result:
    """``measured``: upper 95% limit of the bytes that a request leaves behind."""
    allowed = context.profile.leak_bytes
    folder = context.file("growth")
    folder.mkdir()
    context.progress(f"{NAME}: {context.profile.leak_requests:,} requests")
    growth = measure_growth(context.build, folder, context.profile.leak_requests)
    slope = slope_of(growth.requests, growth.bytes)
    measured = round(slope.upper, 2)
    evidence: dict[str, Any] = {
        "unit": "bytes a request, upper 95% limit",
        "method": growth.method,
        "requests": growth.requests[-1],
        "samples": len(growth.requests),
        "slope": round(slope.value, 2),
        "resident_slope": round(slope_of(growth.requests, growth.resident).value, 2),
        "in_use_mb": [round(growth.bytes[0] / 1e6, 3), round(growth.bytes[-1] / 1e6, 3)],
    }
    reason = f"up to {measured:g} bytes stay behind of each request, more than {allowed:g}"
    return judged(NAME, measured <= allowed, measured, allowed, evidence, reason)


LEAKS = Check(NAME, "500 bytes a request, 50 in the full profile", run, apart=True, timed=False)
