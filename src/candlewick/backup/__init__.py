"""backup: all that a store holds in one file, proven to be whole, and back into a store of any kind."""

from candlewick.backup.archive import Archive
from candlewick.backup.backup import BackedUp, backup
from candlewick.backup.restore import Restored, Tried, restore, try_restore

__all__ = ["Archive", "BackedUp", "Restored", "Tried", "backup", "restore", "try_restore"]
