"""The documents as a reader follows them: every marked block is run in order, in a folder of its own.

1. ``console`` blocks: each ``$ `` line is a command, what follows it is the output that the reader is promised.
2. ``python`` blocks run in one namespace; a ``text`` block directly behind one is what it prints.
3. ``csv NAME`` and ``toml NAME`` blocks are files.

``candlewick serve &`` is a server in a process of its own until ``kill %1`` or the end, on any port for 8787.

``...`` stands for anything, alone on a line for any lines. Times and rates may differ. A command whose output shows
``Error:`` must end with exit code 2, any other with 0, unless ``; echo $?`` behind it shows the code.
``pytest tests/docs --refresh`` writes what has changed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.command_line import invoke
from tests.ready import wait_until_ready

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```([a-z]+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASKED_CODE = "; echo $?"
TIMES = (
    (re.compile(r"\b\d[\d,]*(\.\d+)? (ms|s)\b"), "0 s"),
    (re.compile(r"\([\d,]+ rows/s\)"), "(0 rows/s)"),
    (re.compile(r'"seconds": [\d.]+'), '"seconds": 0'),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh", action="store_true", help="write the outputs that changed into the documents")


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, the file it names, its text, and where that stands in the document."""

    kind: str
    name: str
    text: str
    start: int
    end: int

    @property
    def line(self) -> str:
        """The first line, to say which block it is."""
        return self.text.partition("\n")[0]


@dataclass(frozen=True)
class Drift:
    """An output that is not the one in the document."""

    kind: str
    command: str
    shown: str
    real: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"$ {self.command}\n--- in the document\n{self.shown}\n--- real\n{self.real}"


@dataclass
class Background:
    """A server that a document starts: ready for requests, with what it said of itself."""

    process: subprocess.Popen[str]
    port: int
    said: str
    rest: threading.Thread

    @classmethod
    def started(cls, command: list[str]) -> Background:
        """Start it on a free port and wait until it is ready."""
        program = [sys.executable, "-m", "candlewick.cli.main", *command[1:], "--port", "0"]
        process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = ""
        while not said.startswith("candlewick serves"):
            line = process.stderr.readline()
            assert line, f"the server ended with {process.wait()}"
            said = f"{json.loads(line)['event']}\n"  # a reader at a terminal is shown that alone
        rest = threading.Thread(target=process.stderr.read, daemon=True)  # a full pipe would stop it
        rest.start()
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", said)[0])
        wait_until_ready(f"http://127.0.0.1:{port}", os.environ.get("CANDLEWICK_KEY"))
        return cls(process, port, said, rest)

    def ended(self) -> int:
        """Stop it; its exit code."""
        self.process.terminate()
        code = self.process.wait(30)
        self.rest.join(30)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code


@dataclass
class Reader:
    """Somebody who follows a document from its beginning."""

    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "document"})
    ran: int = 0
    background: Background | None = None

    def follow(self, text: str) -> list[Drift]:
        """Run every block; the outputs that are other than shown."""
        found = blocks(text)
        drifts: list[Drift] = []
        for at, block in enumerate(found):
            if block.name and block.kind in ("csv", "toml"):
                Path(block.name).write_text(block.text, encoding="utf-8")
            elif block.kind == "console":
                drifts += self._console(block)
            elif block.kind == "python":
                after = found[at + 1] if at + 1 < len(found) else None
                beside = (
                    after is not None and after.kind == "text" and text[block.end : after.start] == "```\n\n```text\n"
                )
                drifts += self._python(block, after if beside else None)
        return drifts

    def refreshed(self, text: str, drifts: list[Drift]) -> str:
        """The document with the real outputs."""
        for drift in sorted(drifts, key=lambda one: one.start, reverse=True):
            real = "".join(f"{line.rstrip()}\n" for line in drift.real.strip("\n").splitlines())
            if drift.kind == "python" and drift.start == drift.end:  # behind the closing fence of the block
                real = f"```\n\n```text\n{real}"
            text = text[: drift.start] + real + text[drift.end :]
        return text

    def _python(self, block: Block, promised: Block | None) -> list[Drift]:
        self.ran += 1
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(self._told(block.text), block.line, "exec"), self.names)
        real = self._seen(out.getvalue())
        if promised is None:
            return [] if not real else [Drift("python", block.line, "", real, block.end, block.end)]
        return (
            []
            if same(promised.text, real)
            else [Drift("python", block.line, promised.text, real, promised.start, promised.end)]
        )

    def _console(self, block: Block) -> list[Drift]:
        drifts = []
        for command, shown, start, end in commands(block):
            self.ran += 1
            code, real = self._run(self._told(command))
            real = self._seen(real)
            expected = 2 if re.search("^Error:", shown, re.MULTILINE) else 0
            assert code == expected, f"$ {command}\nends with {code}, not {expected}\n{real}"
            if not same(shown, real):
                drifts.append(Drift("console", command, shown, real, start, end))
        return drifts

    def _told(self, text: str) -> str:
        return text if self.background is None else text.replace(":8787", f":{self.background.port}")

    def _seen(self, text: str) -> str:
        return text if self.background is None else text.replace(f":{self.background.port}", ":8787")

    def _run(self, command: str) -> tuple[int, str]:
        taken = re.fullmatch(r"export (\w+)=\$\(candlewick (.*)\)", command)
        if taken is not None:
            result = invoke(*shlex.split(taken[2]))
            os.environ[taken[1]] = result.stdout.strip()
            return result.exit_code, result.stderr
        if command.endswith(ASKED_CODE):
            code, real = self._run(command.removesuffix(ASKED_CODE))
            return 0, f"{real}{code}\n"
        name, *arguments = shlex.split(command)
        if name == "export":
            os.environ.update(pair.split("=", 1) for pair in arguments)
            return 0, ""
        if name == "candlewick" and arguments[-1:] == ["&"]:
            self.background = Background.started([name, *arguments[:-1]])
            return 0, self.background.said
        if command == "kill %1" and self.background is not None:
            return self.background.ended(), ""
        if name == "candlewick":
            result = invoke(*arguments)
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result.exit_code, result.output
        program = [sys.executable, *arguments] if name == "python" else [name, *arguments]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document, in order."""
    return [Block(m[1], m[2] or "", m[3], m.start(3), m.end(3)) for m in FENCE.finditer(text)]


def commands(block: Block) -> Iterator[tuple[str, str, int, int]]:
    """Each command of a console block, the output shown, and where that begins and ends in the document."""
    marks = [match.start() for match in re.finditer(r"^\$ ", block.text, re.MULTILINE)]
    assert marks, f"a console block has no command: {block.line}"
    assert marks[0] == 0, f"a console block begins with output: {block.line}"
    for start, end in zip(marks, [*marks[1:], len(block.text)], strict=True):
        piece = block.text[start:end]
        command = re.match(r"\$ (?:.*\\\n)*.*\n", piece)
        assert command is not None
        shown = piece[command.end() :]
        yield command[0][2:].replace("\\\n", " ").strip(), shown, block.start + start + command.end(), block.start + end


def same(shown: str, real: str) -> bool:
    """True when the real output is what is shown."""
    pattern = ""
    for line in _plain(shown):
        if line == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _plain(real))) is not None


def _plain(text: str) -> list[str]:
    for form, stand_in in TIMES:
        text = form.sub(stand_in, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A reader in an empty folder, without settings. The kernel cache stays: it only saves time."""
    before = dict(os.environ)
    for variable in before:
        if variable.startswith("CANDLEWICK_") and variable != "CANDLEWICK_CACHE":
            del os.environ[variable]
    os.environ["XDG_DATA_HOME"] = str(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    someone = Reader()
    yield someone
    if someone.background is not None and someone.background.process.poll() is None:
        someone.background.ended()
    os.environ.clear()  # commands and candlewick.toml add to it
    os.environ.update(before)
