"""BufferPool: memory for results, used again when nobody looks at it any more.

1. A block is a piece of memory of one size class; each time it is lent it lies behind a loan of its own.
2. Whatever shows a block (view, view of a view, Arrow table, memoryview) keeps the first array over it alive, and that
   one the loan: following bases from a view, numpy stops at the first array whose own base is no array. So the loan
   dies with the last array, and only then does the block go home (`_Loan.__del__`).
3. A loan is held by arrays alone, which the cycle collector does not see into: it is never torn down as part of a cycle
   whose finalizers could still look at the array.
4. A block may come home at any moment, also while this thread holds the lock, since the collector runs anywhere. So
   coming home is an append; whoever has the lock next, or lets it go, puts the block away.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from candlewick.columnar import Floats
from candlewick.errors import InputError, StateError

SMALLEST = 4096
"""Bytes of the smallest class."""

STEPS = 4
"""Classes in each doubling: a block is at most a quarter larger than what was asked for."""

ITEM = 8
TYPE = np.dtype(np.float64).str


@dataclass(frozen=True)
class BufferStats:
    """Bytes by size class: every byte that the pool has allocated is free or lent. ``taken`` leases since the start,
    ``reused`` of them in memory that was there."""

    free_bytes: int
    lent_bytes: int
    taken: int
    reused: int


class Lease:
    """Memory on loan: ``array``, float64, C-contiguous, contents undefined."""

    __slots__ = ("_array", "_loan")

    def __init__(self, array: Floats) -> None:
        self._array: Floats | None = array
        self._loan = weakref.ref(array.base)

    @property
    def array(self) -> Floats:
        """The array. Raises StateError after ``give_back``."""
        if self._array is None:
            raise StateError("lease", "array", "take another from the pool", "was given back")
        return self._array

    def give_back(self) -> bool:
        """Let go of the array; whether the memory is free now. Else somebody still holds the array or a view of it, and
        the last of these to die frees it: memory that can be seen is never lent again. Twice is harmless."""
        self._array = None
        return self._loan() is None


class BufferPool:
    """Lends float64 arrays; keeps at most ``limit`` bytes of what has come back, the rest goes to the system.

    Sizes are rounded up to classes, so that arrays of about the same size use each other's memory. May be used from any
    thread. An array outlives its pool.
    """

    def __init__(self, limit: int) -> None:
        """``limit``: bytes that may lie free, 0 or more. Raises InputError."""
        self._limit = _size("limit", limit)
        self._lock = threading.Lock()
        self._returned: deque[_Block] = deque()
        self._free: dict[int, deque[tuple[int, _Block]]] = {}  # by class, each with the number of its return
        self._free_bytes = 0
        self._lent_bytes = 0
        self._taken = 0
        self._reused = 0
        self._returns = 0

    def take(self, shape: tuple[int, int]) -> Lease:
        """An array of ``shape`` that shares memory with no other that is alive. Raises InputError, MemoryError."""
        shape = _shape(shape)
        size = size_class(shape[0] * shape[1] * ITEM)
        with self._held():
            block = self._from_free(size)
            if block is not None:
                self._reused += 1
            else:
                block = self._allocate(size)
            self._lent_bytes += size
            self._taken += 1
        return Lease(np.asarray(_Loan(weakref.ref(self), block, shape)))

    def stats(self) -> BufferStats:
        """The pool at this moment, all figures of one."""
        with self._held():
            return BufferStats(self._free_bytes, self._lent_bytes, self._taken, self._reused)

    def clear(self) -> None:
        """Free what is not lent."""
        with self._held():
            self._trim(0)

    def resize(self, limit: int) -> None:
        """From now on at most ``limit`` bytes lie free. Raises InputError."""
        with self._held():
            self._limit = _size("limit", limit)
            self._trim(self._limit)

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            with self._lock:
                self._put_away()
                yield
        finally:
            self._settle()

    def _settle(self) -> None:
        """Put away what came home while the lock was held. Never waits: this may run in a thread that holds it."""
        while self._returned and self._lock.acquire(blocking=False):
            try:
                self._put_away()
            finally:
                self._lock.release()

    def _put_away(self) -> None:
        while self._returned:
            block = self._returned.popleft()
            self._lent_bytes -= block.size
            self._free_bytes += block.size
            self._returns += 1
            self._free.setdefault(block.size, deque()).append((self._returns, block))
        self._trim(self._limit)

    def _trim(self, limit: int) -> None:
        """Free the blocks that have been idle longest: sizes that nobody asks for any more make way."""
        while self._free_bytes > limit:
            size = min(self._free, key=lambda one: self._free[one][0][0])
            blocks = self._free[size]
            blocks.popleft()
            if not blocks:
                del self._free[size]
            self._free_bytes -= size

    def _from_free(self, size: int) -> _Block | None:
        blocks = self._free.get(size)
        if blocks is None:
            return None
        _, block = blocks.pop()  # the last that came back: most of it may still be in the processor's cache
        if not blocks:
            del self._free[size]
        self._free_bytes -= size
        return block

    def _allocate(self, size: int) -> _Block:
        try:
            return _Block(size)
        except MemoryError:
            self._trim(0)  # what lies free may be what is missing
            return _Block(size)


def size_class(size: int) -> int:
    """Bytes of the smallest class that holds ``size`` bytes."""
    if size <= SMALLEST:
        return SMALLEST
    step = (1 << (size - 1).bit_length() - 1) // STEPS
    return -(-size // step) * step


class _Block:
    """Memory of one size class; nobody but its pool and its loan of the moment sees it."""

    __slots__ = ("_memory", "address", "size")

    def __init__(self, size: int) -> None:
        self._memory = np.empty(size, np.uint8)
        self.address: int = self._memory.__array_interface__["data"][0]
        self.size = size


class _Loan:
    """What the first array over a block has for its base; dies with the last array, and brings the block home."""

    __slots__ = ("__array_interface__", "__weakref__", "_block", "_pool")

    def __init__(self, pool: weakref.ref[BufferPool], block: _Block, shape: tuple[int, int]) -> None:
        self._pool = pool
        self._block = block
        self.__array_interface__ = {"version": 3, "data": (block.address, False), "shape": shape, "typestr": TYPE}

    def __del__(self) -> None:
        pool = self._pool()
        if pool is not None:  # else the memory goes to the system
            pool._returned.append(self._block)
            pool._settle()


def _shape(shape: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise InputError("shape", shape, "give two whole numbers")
    rows, columns = (_size("shape", length) for length in shape)
    if rows * columns * ITEM > sys.maxsize:
        raise InputError("shape", shape, "give one that an address can reach")
    return rows, columns


def _size(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise InputError(name, value, "give a whole number, 0 or more")
    return int(value)
