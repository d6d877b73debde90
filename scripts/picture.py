"""Draw docs/pictures/desk.svg: the demo's 5-minute bars with what candlewick computes for them, as plain SVG."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from candlewick.columnar import Floats
from candlewick.demo.tour import CALENDAR, SEED, SESSIONS, SHOWN
from candlewick.engine.query import Answer, query
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store

PLACE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "desk.svg"
WIDTH, LEFT, RIGHT = 960, 16, 896
PRICES, STRENGTH = (64, 372), (400, 488)
UP, DOWN, BAND, VWAP, TEXT, RULE = "#0b8f7a", "#c93a54", "#3f66d8", "#d97a00", "#39424e", "#dde2e8"
FRAME = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 524" font-family="system-ui, sans-serif" \
font-size="12" fill="{TEXT}" role="img" aria-label="5-minute bars of a simulated symbol over three sessions">
<rect width="{WIDTH}" height="524" rx="8" fill="#ffffff" stroke="{RULE}"/>"""


def asked() -> Answer:
    """The bars of the demo's first simulated symbol with bands, VWAP and RSI."""
    with open_store("memory:") as store:
        store.upsert_many(list(simulate([SHOWN], CALENDAR, SESSIONS, SEED)))
        return query(store, SHOWN, "5m", "bollinger(20,2) vwap rsi(14)")


def drawn(answer: Answer) -> str:
    """An answer as SVG."""
    bars, frame = answer.bars, answer.indicators
    assert frame is not None
    upper, lower = frame["bollinger_20_2_upper"], frame["bollinger_20_2_lower"]
    step = (RIGHT - LEFT) / len(bars)
    x = LEFT + step * (np.arange(len(bars)) + 0.5)
    low, high = min(bars.low.min(), np.nanmin(lower)), max(bars.high.max(), np.nanmax(upper))
    first = np.flatnonzero(bars.anchor & 1).tolist()

    def y(values: Floats) -> Floats:
        return PRICES[1] - (values - low) / (high - low) * (PRICES[1] - PRICES[0])

    def strength(values: Floats) -> Floats:
        return STRENGTH[1] - values / 100 * (STRENGTH[1] - STRENGTH[0])

    parts = [FRAME, *legend()]
    for level in np.arange(np.ceil(low / 5) * 5, high, 5):
        parts += rule(float(y(level)), f"{level:g}")
    for level in (30.0, 70.0):
        parts += rule(float(strength(np.float64(level))), f"{level:g}")
    for at, following in pairwise([*first, len(bars)]):
        left = LEFT + step * at
        if at:
            parts.append(f'<path d="M{left:.1f} {PRICES[0]}V{STRENGTH[1]}" stroke="#9aa5b1" stroke-dasharray="3 3"/>')
        middle = LEFT + step * (at + following) / 2
        label = bars.time[at].astype("datetime64[D]")
        parts.append(f'<text x="{middle:.1f}" y="510" text-anchor="middle">session {label}</text>')
    known = ~np.isnan(upper)
    there, back = points(x[known], y(upper[known])), points(x[known][::-1], y(lower[known])[::-1])
    parts.append(f'<path d="M{"L".join([*there, *back])}Z" fill="{BAND}" fill-opacity="0.12"/>')
    for name, rows in (("upper", upper), ("middle", frame["bollinger_20_2_middle"]), ("lower", lower)):
        width = 1.2 if name == "middle" else 0.7
        parts.append(line(points(x[known], y(rows[known])), BAND, width))
    parts += candles(x, y(bars.open), y(bars.high), y(bars.low), y(bars.close), step)
    for at, following in pairwise([*first, len(bars)]):
        cut = slice(at, following)
        parts.append(line(points(x[cut], y(frame["vwap"][cut])), VWAP, 1.8))
    known = ~np.isnan(frame["rsi_14"])
    parts.append(line(points(x[known], strength(frame["rsi_14"][known])), TEXT, 1.2))
    return "\n".join([*parts, "</svg>\n"])


def candles(x: Floats, opened: Floats, high: Floats, low: Floats, close: Floats, step: float) -> Iterator[str]:
    """Wicks and bodies, one path for those that rose and one for those that fell (heights grow downwards)."""
    body = step * 0.62
    for colour, chosen in ((UP, close <= opened), (DOWN, close > opened)):
        wicks = "".join(f"M{x[k]:.1f} {high[k]:.1f}V{low[k]:.1f}" for k in np.flatnonzero(chosen))
        yield f'<path d="{wicks}" stroke="{colour}" stroke-width="0.8"/>'
        boxes = "".join(
            f"M{x[k] - body / 2:.1f} {min(opened[k], close[k]):.1f}"
            f"h{body:.1f}v{max(abs(opened[k] - close[k]), 0.8):.1f}h{-body:.1f}z"
            for k in np.flatnonzero(chosen)
        )
        yield f'<path d="{boxes}" fill="{colour}"/>'


def points(x: Floats, y: Floats) -> list[str]:
    """Coordinates to a tenth of a pixel."""
    return [f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)]


def line(through: Sequence[str], colour: str, width: float) -> str:
    """A line through points."""
    return f'<path d="M{"L".join(through)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def rule(height: float, label: str) -> list[str]:
    """A level with its label at the right."""
    return [
        f'<path d="M{LEFT} {height:.1f}H{RIGHT}" stroke="{RULE}"/>',
        f'<text x="{RIGHT + 8}" y="{height + 4:.1f}">{label}</text>',
    ]


def legend() -> list[str]:
    """What is what."""
    title = f"{SHOWN}: 5-minute bars of simulated minute candles, XNYS sessions"
    entries = ((BAND, "bollinger(20,2)"), (VWAP, "vwap: begins again with each session"), (TEXT, "rsi(14), below"))
    parts, at = [f'<text x="{LEFT}" y="26" font-size="15" font-weight="600">{title}</text>'], LEFT
    for colour, text in entries:
        parts.append(f'<path d="M{at} 44h18" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="{at + 24}" y="48">{text}</text>')
        at += 44 + 7 * len(text)
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PLACE)
    place: Path = parser.parse_args().output
    place.write_text(drawn(asked()), encoding="utf-8")
    sys.stdout.write(f"{place}\n")


if __name__ == "__main__":
    main()
