"""Indicators over HTTP: what the command line lists, with parameters, sources and presets."""

from __future__ import annotations

from typing import Any

from candlewick.indicators import PRESETS, REGISTRY, parse_indicators


def test_every_indicator_can_be_written_from_what_is_listed(ask: Any) -> None:
    listed = ask("GET", "/v1/indicators").json()
    found = {one["name"]: one for one in listed["indicators"]}
    assert set(REGISTRY) <= set(found)
    for name, one in found.items():
        (made,) = parse_indicators(one["example"])
        assert (one["columns"], one["warm_up"]) == (list(made.columns), made.warm_up)
        arguments = [20 if each["default"] is None else each["default"] for each in one["parameters"]]
        text = f"{name}({','.join(map(str, arguments))})" if arguments else name
        assert parse_indicators(text) == (made,)
        for source in one["sources"]:
            names = [each["name"] for each in one["parameters"]]
            placed = dict(zip(names, arguments, strict=True)) | {"source": source}
            parse_indicators(f"{name}({','.join(map(str, placed.values()))})")
    assert found["atr"]["sources"] == []
    assert found["sma"]["sources"] == ["open", "high", "low", "close", "volume"]
    assert set(listed["presets"]) == set(PRESETS)
    desk = listed["presets"]["desk"]
    assert desk["columns"] == [column for one in parse_indicators(desk["indicators"]) for column in one.columns]
