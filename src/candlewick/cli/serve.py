"""serve: the store over HTTP, with both engines behind the rollout."""

from __future__ import annotations

import logging
import os
import sys
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.server.application import Application

log = logging.getLogger("candlewick.serve")


def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST", help="Address to listen on. Any but 127.0.0.1 is for other machines, and needs keys."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="Port to listen on; 0 picks a free one.")] = 8787,
    control: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Control journal: flags and rollout. Default: CANDLEWICK_CONTROL, then a file beside the store.",
        ),
    ] = None,
    max_body_mb: Annotated[
        int, typer.Option("--max-body-mb", metavar="MB", min=1, help="Largest file that is taken over HTTP.")
    ] = 1024,
    require_keys: Annotated[
        bool, typer.Option("--require-keys", help="Ask for a key on 127.0.0.1 too: for a proxy in front of it.")
    ] = False,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Processes behind the port. Above 1 only on a PostgreSQL store.")
    ] = 1,
    worker: Annotated[bool, typer.Option("--worker", hidden=True)] = False,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Serve the store over HTTP until it is told to stop (ctrl-c, or SIGTERM).

    While it runs, `candles`, `symbols` and `ingest` of other terminals reach the store through it. It starts on the
    classic engine with 0% on the optimized one; `candlewick rollout` changes that.
    """
    from candlewick.app import build
    from candlewick.cli.connection import settings_in_force, store_url
    from candlewick.cli.keys import opened_keys
    from candlewick.server.lane import Limits
    from candlewick.server.logs import logging_to
    from candlewick.server.loopback import is_loopback
    from candlewick.server.run import bind, check_keys, run
    from candlewick.server.workers import end_with_parent, reserve, run_workers

    url = store_url(store)
    # Both before the store is opened, which may take a while.
    if require_keys or not is_loopback(host):
        with opened_keys(control, store, make=False) as file:
            check_keys(host, file.all())
    settings = settings_in_force()
    if workers > 1:
        check_shareable(url, workers)
        with reserve(host, port) as held:
            given = ["--host", host, "--port", str(held.getsockname()[1]), "--max-body-mb", str(max_body_mb)]
            given += ["--require-keys"] if require_keys else []
            given += [] if control is None else ["--control", control]
            given += [] if store is None else ["--store", store]
            command = [sys.executable, "-m", "candlewick.cli.main", "serve", "--worker", "--json", *given]
            with logging_to(level=settings["log_level"].value or "info"):
                run_workers(command, workers, lambda said: _told(said, json=json))
        return
    bind(host, port, shared=worker).close()
    if worker:
        end_with_parent()
    with logging_to(level=settings["log_level"].value or "info") as logs:
        application = build(url, control=control)

        def ready(address: str) -> None:
            application.announce(address)
            warm_up(application)
            _tell(address, application.url, json=json)

        run(
            application,
            host,
            port,
            ready=ready,
            limits=Limits(body_bytes=max_body_mb << 20),
            require_keys=require_keys,
            rate=settings.number("rate_limit_per_second"),
            log=logs.request,
            shared=worker,
        )


def check_shareable(url: str, workers: int) -> None:
    """Raises InputError for a store that only one process can have."""
    from candlewick.errors import InputError
    from candlewick.postgres_address import is_postgres

    if not is_postgres(url):
        why = "a DuckDB file and a store in memory belong to one process: use a PostgreSQL store, or 1"
        raise InputError("workers", workers, why, "is too many for this store")


def warm_up(application: Application) -> Thread:
    """Warm up beside what is served already. A failure is in the log, and health stays as it is: not ready."""

    def compile_all() -> None:
        try:
            application.warm_up()
        except Exception:
            log.exception("warming up failed")
        else:
            log.info("warmed up: ready for requests")

    thread = Thread(target=compile_all, name="candlewick-warm-up", daemon=True)
    thread.start()
    return thread


def _tell(address: str, url: str, *, json: bool) -> None:
    _told({"address": address, "pid": os.getpid(), "store": url}, json=json)


def _told(said: dict[str, Any], *, json: bool) -> None:
    from candlewick.cli.output import note, print_json

    if json:
        print_json(said)
    workers = f", {len(said['workers'])} workers" if "workers" in said else ""
    text = f"candlewick serves {said['store']} at {said['address']} (process {said['pid']}{workers}; ctrl-c stops it)"
    if sys.stderr.isatty():
        note(text)
    else:  # whoever reads that reads lines of a log
        log.info(text)
