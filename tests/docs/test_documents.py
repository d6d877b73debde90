"""What the documents show is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {"own-indicator.md"}
"""Held by tests/engine/test_plugins.py, which installs what it describes."""

FOLLOWED = [
    path.relative_to(ROOT).as_posix()
    for path in [
        ROOT / "README.md",
        *sorted((ROOT / "docs" / "guide").glob("*.md")),
        *sorted((ROOT / "docs" / "manuals").glob("*.md")),
    ]
    if path.name not in ELSEWHERE
]


@pytest.mark.parametrize("document", FOLLOWED)
def test_every_command_and_every_line_does_what_is_shown(document, reader, pytestconfig):
    file = ROOT / document
    text = file.read_text(encoding="utf-8")
    drifts = reader.follow(text)
    if drifts and pytestconfig.getoption("--refresh"):
        file.write_text(reader.refreshed(text, drifts), encoding="utf-8")
        pytest.skip(f"{len(drifts)} outputs written into {document}")
    assert not drifts, "\n\n".join(map(str, drifts))
    assert reader.ran, "a document that shows nothing needs no place among these"
