"""symbols: what the store holds."""

from __future__ import annotations

from candlewick.cli import options


def symbols(json: options.Json = False, store: options.Store = None) -> None:
    """List the stored series: symbol, timeframe, calendar, number of rows, first and last candle."""
    from candlewick.cli.connection import is_there, open_or_reach, store_url
    from candlewick.cli.output import note, print_json
    from candlewick.cli.table import print_table
    from candlewick.client import Client

    names = ("symbol", "timeframe", "calendar", "rows", "first", "last")
    url = store_url(store)
    found = []
    if is_there(url):
        with open_or_reach(store) as place:
            series = place.symbols() if isinstance(place, Client) else place.series()
            found = [one.as_dict() for one in series]
    rows = [{name: one[name] for name in names} for one in found]
    if json:
        print_json(rows)
    elif rows:
        texts = [[f"{value:,}" if isinstance(value, int) else value for value in row.values()] for row in rows]
        print_table(names, texts, numbers=(names.index("rows"),))
    if not rows:
        note(f"Nothing is stored in {url}: run `candlewick ingest` or `candlewick demo`.")
