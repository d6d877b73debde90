"""Memory that somebody can see is never lent again, and every byte is accounted for."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from candlewick.cache import buffer_pool
from candlewick.cache.buffer_pool import SMALLEST, BufferPool, size_class
from candlewick.columnar import Columnar
from candlewick.errors import InputError, StateError

SHAPE = (3, 1000)
SIZE = size_class(3 * 1000 * 8)

VIEWS = {
    "slice": lambda array: array[:1],
    "row": lambda array: array[-1],
    "steps": lambda array: array[:, ::2],
    "reversed": lambda array: array[::-1, ::-1],
    "transposed": lambda array: array.T,
    "flat": lambda array: array.reshape(-1),
    "bytes": lambda array: array.view(np.uint8),
    "view of a view": lambda array: array[1:].T[5:].view()[::3],
    "read-only": lambda array: array.view(),
    "asarray": lambda array: np.asarray(array[1:]),
    "strided": lambda array: np.lib.stride_tricks.sliding_window_view(array[0], 5),
    "broadcast": lambda array: np.broadcast_to(array[0], (4, array.shape[1])),
    "real part": lambda array: array.real[0],
    "matrix": lambda array: array.view(type("Own", (np.ndarray,), {})),
    "memoryview": lambda array: memoryview(array)[1:],
    "from memoryview": lambda array: np.asarray(memoryview(array)),
    "from buffer": lambda array: np.frombuffer(array),
    "dlpack": lambda array: np.from_dlpack(array)[1:],
    "iterator": lambda array: array.flat,
    "arrow": lambda array: pa.array(array[1]),
    "arrow table": lambda array: pa.table({"a": array[0], "b": array[2]}).slice(10),
    "arrow buffer": lambda array: pa.py_buffer(array).slice(64),
    "arrow to numpy": lambda array: pa.array(array[0]).to_numpy(),
    "base": lambda array: array[1:].base,
    "base of the base": lambda array: np.asarray(array[1:].base.base),
}


@pytest.mark.parametrize("name", VIEWS)
def test_what_shows_the_memory_keeps_it(name: str) -> None:
    pool = BufferPool(10**6)
    lease = pool.take(SHAPE)
    view = VIEWS[name](lease.array)
    assert not lease.give_back()
    assert pool.stats().lent_bytes == SIZE
    other = pool.take(SHAPE)
    assert pool.stats().reused == 0
    del view
    assert (pool.stats().free_bytes, pool.stats().lent_bytes) == (SIZE, SIZE)
    assert other.give_back()
    assert pool.stats().lent_bytes == 0


def test_candlewicks_own_tables_keep_it() -> None:
    pool = BufferPool(10**6)

    class Table(Columnar):
        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def _columns(self) -> dict[str, np.ndarray]:
            return {"a": self.values[0], "b": self.values[1]}

        def _metadata(self) -> dict[str, str]:
            return {"symbol": "ACME"}

    lease = pool.take(SHAPE)
    lease.array.fill(7.0)
    table = pa.table(Table(lease.array))
    assert not lease.give_back()
    pool.take(SHAPE).array.fill(9.0)
    assert table.column("b").to_pylist() == [7.0] * 1000
    del table
    assert pool.stats().lent_bytes == 0


def test_an_array_is_as_asked_for() -> None:
    pool = BufferPool(10**6)
    for shape in [(3, 7), (1, 1), (0, 5), (11, 0), (np.int64(2), 9)]:
        array = pool.take(shape).array
        assert array.shape == shape
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned
    array = pool.take((2, 3)).array
    array[:] = np.arange(6).reshape(2, 3)
    assert array.sum() == 15


def test_giving_back() -> None:
    pool = BufferPool(10**6)
    lease = pool.take(SHAPE)
    assert lease.array is lease.array
    assert lease.give_back()
    assert lease.give_back()
    with pytest.raises(StateError, match="was given back"):
        _ = lease.array
    assert pool.stats().free_bytes == SIZE
    held = pool.take(SHAPE)
    array = held.array
    assert not held.give_back()
    array.fill(1.0)
    del array
    assert held.give_back()


def test_an_array_may_outlive_its_lease() -> None:
    pool = BufferPool(10**6)
    array = pool.take(SHAPE).array
    assert pool.stats().lent_bytes == SIZE
    del array
    assert pool.stats().free_bytes == SIZE


def test_an_array_may_outlive_its_pool() -> None:
    pool = BufferPool(10**6)
    array = pool.take(SHAPE).array
    seen = weakref.ref(pool)
    array.fill(3.0)
    del pool
    assert seen() is None
    later = [np.full(SHAPE, 4.0) for _ in range(20)]
    assert (array == 3.0).all()
    del array, later


def test_a_cycle_whose_finalizer_looks_at_the_array() -> None:
    """Collection calls weak references back before ``__del__``: a pool that went by them would lend what that sees."""
    pool = BufferPool(10**6)
    found = []

    class Node:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array
            self.itself = self
            weakref.finalize(self, self.collected)

        @staticmethod
        def collected() -> None:  # before __del__
            others.append(pool.take(SHAPE).array)
            others[-1].fill(2.0)

        def __del__(self) -> None:
            found.append(self.array.copy())
            found.append(self.array[0])  # and keeps a view

    others: list[np.ndarray] = []
    array = pool.take(SHAPE).array
    array.fill(1.0)
    node = Node(array)
    del node, array
    gc.collect()
    assert (found[0] == 1.0).all()
    assert len(others) == 1
    assert not np.shares_memory(found[1], others[0])
    assert pool.stats().lent_bytes == 2 * SIZE
    found.clear()
    assert pool.stats().lent_bytes == SIZE


def test_a_block_that_comes_home_while_the_pool_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector may run anywhere, also in the thread that holds the pool's lock."""
    pool = BufferPool(10**6)
    held = [pool.take(SHAPE).array]
    made = buffer_pool._Block

    def make(size: int) -> object:
        held.clear()
        return made(size)

    monkeypatch.setattr(buffer_pool, "_Block", make)
    lease = pool.take((1, 10))
    assert not pool._returned  # put away when the lock was let go
    assert (pool.stats().free_bytes, pool.stats().lent_bytes) == (SIZE, SMALLEST)
    assert lease.give_back()


def test_a_block_that_comes_home_while_another_thread_has_the_lock() -> None:
    pool = BufferPool(10**6)
    array = pool.take(SHAPE).array
    with pool._lock:
        dropper = threading.Thread(target=lambda values: values.clear(), args=([array],))
        del array
        dropper.start()
        dropper.join(60)
        assert not dropper.is_alive()  # it did not wait
        del dropper
    assert (pool.stats().free_bytes, pool.stats().lent_bytes) == (SIZE, 0)


def test_the_last_that_came_back_is_lent_first() -> None:
    pool = BufferPool(10**6)
    leases = [pool.take(SHAPE) for _ in range(3)]
    addresses = [lease.array.ctypes.data for lease in leases]
    for lease in leases:
        lease.give_back()
    again = [pool.take(SHAPE) for _ in range(3)]
    assert [lease.array.ctypes.data for lease in again] == addresses[::-1]
    assert pool.stats().reused == 3


def test_about_the_same_size_is_the_same_memory() -> None:
    pool = BufferPool(10**6)
    pool.take((11, 390)).give_back()
    pool.take((11, 380)).give_back()
    pool.take((5, 900)).give_back()
    assert (pool.stats().taken, pool.stats().reused) == (3, 2)


def test_beyond_the_limit_the_longest_idle_goes() -> None:
    pool = BufferPool(3 * SIZE)
    small = pool.take((1, 1))
    leases = [pool.take(SHAPE) for _ in range(3)]
    small.give_back()
    for lease in leases[:2]:
        lease.give_back()
    assert pool.stats().free_bytes == SMALLEST + 2 * SIZE
    leases[2].give_back()
    assert pool.stats().free_bytes == 3 * SIZE
    large = pool.take((30, 1000))
    large.give_back()  # larger than the limit: not kept, nor is what lay there
    assert pool.stats().free_bytes == 0
    assert pool.stats().lent_bytes == 0


def test_a_pool_without_a_limit_for_free_memory_keeps_none() -> None:
    pool = BufferPool(0)
    lease = pool.take(SHAPE)
    assert pool.stats().lent_bytes == SIZE
    lease.give_back()
    assert (pool.stats().free_bytes, pool.stats().lent_bytes) == (0, 0)


def test_clear_and_resize() -> None:
    pool = BufferPool(10 * SIZE)
    leases = [pool.take(SHAPE) for _ in range(6)]
    for lease in leases[:5]:
        lease.give_back()
    pool.resize(2 * SIZE)
    assert pool.stats().free_bytes == 2 * SIZE
    pool.clear()
    assert (pool.stats().free_bytes, pool.stats().lent_bytes) == (0, SIZE)
    leases[5].give_back()
    assert pool.stats().free_bytes == SIZE


def test_free_memory_makes_way_when_there_is_none_left(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = BufferPool(10**6)
    pool.take(SHAPE).give_back()
    made = buffer_pool._Block
    free = []

    def make(size: int) -> object:
        free.append(pool._free_bytes)
        if pool._free_bytes or size > 10**6:
            raise MemoryError
        return made(size)

    monkeypatch.setattr(buffer_pool, "_Block", make)
    lease = pool.take((1, 1))
    assert free == [SIZE, 0]
    assert (pool.stats().free_bytes, pool.stats().lent_bytes) == (0, SMALLEST)
    with pytest.raises(MemoryError):
        pool.take((1000, 1000))
    assert (pool.stats().free_bytes, pool.stats().lent_bytes, pool.stats().taken) == (0, SMALLEST, 2)
    assert lease.give_back()


def test_free_memory_really_goes() -> None:
    pool = BufferPool(10**6)
    lease = pool.take(SHAPE)
    block = weakref.ref(lease.array.base._block._memory)
    lease.give_back()
    assert block() is not None
    pool.clear()
    assert block() is None


@pytest.mark.parametrize("limit", [-1, 1.5, True, None])
def test_limits_that_are_none_are_refused(limit: object) -> None:
    with pytest.raises(InputError, match="limit"):
        BufferPool(limit)
    with pytest.raises(InputError, match="limit"):
        BufferPool(1).resize(limit)


@pytest.mark.parametrize("shape", [5, (5,), (1, 2, 3), (-1, 2), (1.0, 2), (True, 1), (2**40, 2**40)])
def test_shapes_that_are_none_are_refused(shape: object) -> None:
    pool = BufferPool(1)
    with pytest.raises(InputError, match="shape"):
        pool.take(shape)
    assert pool.stats().lent_bytes == 0


@given(st.integers(0, 2**40))
def test_classes(size: int) -> None:
    rounded = size_class(size)
    assert rounded >= size
    assert rounded % 8 == 0
    assert rounded == SMALLEST or rounded <= size * 1.25
    assert size_class(rounded) == rounded
    assert size_class(size + 1) >= rounded


def test_threads_never_share_memory() -> None:
    """Each thread marks what it holds; a mark that changes was made by another."""
    pool = BufferPool(40 * SIZE)
    wrong = []

    def work(number: int) -> None:
        random = np.random.default_rng(number)
        kept: list[tuple[float, object]] = []
        for k in range(150):
            lease = pool.take((int(random.integers(1, 5)), int(random.integers(1, 1500))))
            array = lease.array
            mark = float(number * 1000 + k)
            array.fill(mark)
            choice = k % 4
            if choice == 0:
                kept.append((mark, array[-1:][0, ::2]))
            elif choice == 1:
                kept.append((mark, pa.array(array[0])))
            elif choice == 2:
                kept.append((mark, array))
            del array
            lease.give_back()
            if len(kept) > 8:
                mark, view = kept.pop(int(random.integers(0, 8)))
                seen = view.to_numpy() if isinstance(view, pa.Array) else view
                if not (seen == mark).all():
                    wrong.append(mark)
                del view, seen

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []
    stats = pool.stats()
    assert stats.lent_bytes == 0
    assert stats.free_bytes <= 40 * SIZE
    assert stats.taken == 16 * 150
    assert stats.reused > 0


class Memory(RuleBasedStateMachine):
    """Taking, giving back and dying in any order, against a list of what is alive."""

    @initialize(limit=st.sampled_from([0, 5000, 60_000, 10**7]))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.pool = BufferPool(limit)
        self.leases: dict[float, object] = {}
        self.seen: dict[float, list[object]] = {}
        self.sizes: dict[float, int] = {}
        self.marks = itertools.count(1.0)
        self.taken = 0

    @rule(rows=st.integers(1, 6), columns=st.integers(1, 700))
    def take(self, rows: int, columns: int) -> None:
        before = self.pool.stats()
        lease = self.pool.take((rows, columns))
        after = self.pool.stats()
        mark = next(self.marks)
        lease.array.fill(mark)
        self.leases[mark] = lease
        self.seen[mark] = []
        self.sizes[mark] = size = size_class(rows * columns * 8)
        self.taken += 1
        reused = after.reused - before.reused
        assert after.lent_bytes == before.lent_bytes + size
        assert after.free_bytes == before.free_bytes - reused * size

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), name=st.sampled_from(["slice", "row", "steps", "transposed", "view of a view", "arrow"]))
    def look(self, data: st.DataObject, name: str) -> None:
        mark = data.draw(st.sampled_from(list(self.leases)))
        array = self.leases[mark].array
        if array.shape[0] > 1:
            self.seen[mark].append(VIEWS[name](array))
        else:
            self.seen[mark].append(array)

    @precondition(lambda self: any(self.seen.values()))
    @rule(data=st.data())
    def look_closer(self, data: st.DataObject) -> None:
        """A view of a view, also after the lease went back."""
        mark = data.draw(st.sampled_from([mark for mark, views in self.seen.items() if views]))
        number = data.draw(st.integers(0, len(self.seen[mark]) - 1))  # a view that is drawn would be kept by the draw
        self.seen[mark].append(self.seen[mark][number][:1])

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        mark = data.draw(st.sampled_from(list(self.leases)))
        assert self.leases.pop(mark).give_back() is not bool(self.seen[mark])

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        del self.leases[data.draw(st.sampled_from(list(self.leases)))]

    @precondition(lambda self: any(self.seen.values()))
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        mark = data.draw(st.sampled_from([mark for mark, views in self.seen.items() if views]))
        self.seen[mark].pop(data.draw(st.integers(0, len(self.seen[mark]) - 1)))

    @rule()
    def clear(self) -> None:
        self.pool.clear()
        assert self.pool.stats().free_bytes == 0

    @rule(limit=st.sampled_from([0, 5000, 60_000, 10**7]))
    def resize(self, limit: int) -> None:
        self.limit = limit
        self.pool.resize(limit)

    @invariant()
    def every_byte_is_accounted_for(self) -> None:
        if not hasattr(self, "pool"):
            return
        stats = self.pool.stats()
        alive = [mark for mark in self.seen if mark in self.leases or self.seen[mark]]
        assert stats.lent_bytes == sum(self.sizes[mark] for mark in alive)
        assert stats.free_bytes == sum(size * len(blocks) for size, blocks in self.pool._free.items())
        assert stats.free_bytes <= self.limit
        assert stats.taken == self.taken

    @invariant()
    def nobody_sees_anothers_memory(self) -> None:
        if not hasattr(self, "pool"):
            return
        arrays: dict[float, list[np.ndarray]] = {}
        for mark, views in self.seen.items():
            shown = [view.to_numpy() if isinstance(view, pa.Array) else view for view in views]
            if mark in self.leases:
                shown.append(self.leases[mark].array)
            arrays[mark] = shown
            assert all((array == mark).all() for array in shown)
        for first, second in itertools.combinations(arrays, 2):
            for one, other in itertools.product(arrays[first], arrays[second]):
                assert not np.shares_memory(one, other)


TestMemory = Memory.TestCase
TestMemory.settings = settings(stateful_step_count=40)
