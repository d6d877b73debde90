"""The repository contract as a pytest base class: every store's test inherits it and gives one ``store`` fixture."""

from __future__ import annotations

from candlewick.testing.repository_as_of import AsOfContract
from candlewick.testing.repository_days import TouchedDaysContract
from candlewick.testing.repository_reading import ReadingContract
from candlewick.testing.repository_threads import ThreadsContract
from candlewick.testing.repository_writing import WritingContract
from candlewick.testing.stored_candles import FIRST_DAY, START, refused, some

__all__ = ["FIRST_DAY", "START", "RepositoryContract", "refused", "some"]


class RepositoryContract(ReadingContract, WritingContract, TouchedDaysContract, AsOfContract, ThreadsContract):
    """What every store must do. A subclass gives a fixture ``store``: an empty repository, closed by the fixture."""
