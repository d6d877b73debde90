"""Text source: what every source of lines of text has in common, whatever stands in them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import numpy as np

from candlewick.sources.layout import decoded
from candlewick.sources.rows import shortened
from candlewick.sources.source import Source
from candlewick.sources.text_file import TextFile


class TextSource(Source):
    """Rows of a text file. A subclass reads its blocks with ``self._digest.update``."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.name = file.name
        self.size = file.size
        self.expands = 6.0 if file.compressed else 1.0
        self._digest = hashlib.sha256()

    def content(self) -> str:
        return self._digest.hexdigest()

    def raw(self, lines: Collection[int]) -> Mapping[int, str]:
        """Some lines, by their physical numbers, as they stand in the text."""
        found: dict[int, str] = {}
        wanted = np.array(sorted(lines), dtype=np.int64)
        for block in self.file.blocks():
            here = wanted[(wanted >= block.first) & (wanted < block.first + block.data.count(b"\n"))]
            if len(here):
                texts = block.data.split(b"\n")
                found.update({int(line): shown(texts[line - block.first]) for line in here})
        return found


def shown(raw: bytes) -> str:
    """A line as users see it."""
    return shortened(decoded(raw)[0])
