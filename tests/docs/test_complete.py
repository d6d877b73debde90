"""Whatever a user can meet has its place in the documents, and what they point at is there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from typer.main import get_command

from candlewick.benchmarks.registry import find_benchmarks
from candlewick.cli.main import app
from candlewick.engine.described import described
from candlewick.indicators import PRESETS, REGISTRY, parse_indicators
from candlewick.sessions.calendar import find_calendar
from candlewick.settings import EXPECTED
from candlewick.sources.columns import KNOWN
from candlewick.sources.files import KNOWN as SUFFIXES
from candlewick.sources.rows import Reason
from candlewick.version import __version__

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = sorted(get_command(app).commands)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def sections(text):
    """Heading of the second level to what stands under it."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_heading_and_an_example(command):
    assert f"$ candlewick {command}" in sections(read("docs/guide/command-line.md"))[command]


def test_no_heading_is_of_a_command_that_is_not_there():
    assert sorted(sections(read("docs/guide/command-line.md"))) == COMMANDS


@pytest.mark.parametrize("kind", REGISTRY)
def test_every_indicator_has_its_section_with_signature_columns_and_warm_up(kind):
    about = described(REGISTRY[kind])
    section = sections(read("docs/guide/indicators.md"))[kind]
    assert f"`{about['signature']}`" in section
    assert all(f"`{column}`" in section for column in about["columns"])
    assert re.search(rf"Warm-up {about['warm_up']}\b", section)
    assert "Bound:" in section


def test_the_row_of_an_indicator_names_its_columns():
    rows = re.findall(r"^\| `([a-z_]+[^|]*) \| (.*) \| (.*) \|$", read("README.md"), re.MULTILINE)
    seen = set()
    for written, columns, _ in rows:
        for text in re.findall(r"[a-z_]+(?:\([^)]*\))?", written):
            (indicator,) = parse_indicators(text)
            seen.add(indicator.kind)
            short = [f"`{indicator.columns[0]}`", *(f"`_{part}`" for part in indicator.parts[1:])]
            assert all(name in columns for name in short), text
    assert seen == set(REGISTRY)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_spelled_out(name):
    for document in ("README.md", "docs/guide/indicators.md"):
        assert PRESETS[name] in read(document)
        assert f"`{name}`" in read(document)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.SOUND])
def test_every_reason_for_quarantine_is_listed(reason):
    assert f"`{reason.phrase}`" in sections(read("docs/guide/ingest.md"))["Quarantine"]


def test_every_header_and_every_kind_of_file_that_is_recognised_is_listed():
    files = sections(read("docs/guide/ingest.md"))["Files"]
    assert [name for names in KNOWN.values() for name in names if f"`{name}`" not in files] == []
    plain = [suffix for suffix in SUFFIXES if suffix.count(".") == 1 and suffix not in (".csv", ".tsv", ".txt")]
    assert [suffix for suffix in plain if f"`{suffix}`" not in files] == []


@pytest.mark.parametrize("name", EXPECTED)
def test_every_setting_is_listed(name):
    section = sections(read("docs/guide/command-line.md"))["config"]
    assert f"| `{name}` |" in section
    assert f"CANDLEWICK_{name.upper()}" in section


def test_every_calendar_that_is_shown_can_be_found():
    rows = re.findall(r"^\| (`.*`(?:, \.\.\.)?) \|", sections(read("docs/guide/candles.md"))["Calendars"], re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > 10
    assert all(find_calendar(name).timezone for name in names)


def test_every_benchmark_is_named():
    section = sections(read("docs/guide/command-line.md"))["bench"]
    assert all(f"`{benchmark.name}`" in section for benchmark in find_benchmarks(()))


def test_the_newest_change_is_of_this_version():
    newest = re.search(r"^## ([\d.]+)", read("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_decisions_are_listed_dated_and_say_what_would_reopen_them():
    folder = ROOT / "docs" / "decisions"
    records = sorted(folder.glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert re.search(r"^Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE), record.name
        assert {"Context", "Decision", "What would reopen it"} <= set(sections(text)), record.name
        assert f"]({record.name})" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document):
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings]


def test_every_guide_can_be_reached_from_the_first_page():
    linked = LINK.findall(read("README.md"))
    assert [path.name for path in GUIDE.glob("*.md") if f"docs/guide/{path.name}" not in linked] == []


def test_the_layout_names_every_room():
    layout = read("docs/architecture.md")
    package = ROOT / "src" / "candlewick"
    assert [room.parent.name for room in package.glob("*/__init__.py") if f"{room.parent.name}/" not in layout] == []


def test_the_picture_is_what_the_script_draws():
    script = runpy.run_path(str(ROOT / "scripts" / "picture.py"))
    assert script["drawn"](script["asked"]()) == read("docs/pictures/desk.svg")
    assert "http" not in read("docs/pictures/desk.svg").replace("http://www.w3.org/2000/svg", "")


def test_every_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    named = {name for text in texts for name in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)}
    assert {"demo", "test"} <= named <= targets
