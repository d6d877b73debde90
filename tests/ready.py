"""Waiting for a server in another process."""

from __future__ import annotations

import time

import httpx


def wait_until_ready(address: str, key: str | None = None, seconds: float = 120.0) -> None:
    """Return once it answers that it is ready."""
    until = time.monotonic() + seconds
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    # One client, which without certificates costs nothing: both cores are the server's to start with.
    with httpx.Client(base_url=address, headers=headers, trust_env=False, verify=False) as client:
        while client.get("/health/ready").status_code != 200:
            assert time.monotonic() < until, f"{address} is not ready after {seconds:g} s"
            time.sleep(0.05)
