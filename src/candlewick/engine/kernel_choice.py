"""Which kernels compute a group now: the fused one, or one for each indicator while the fused one is not there.

Both give the same bits, so the choice is only about time: compiling a fused group takes seconds and pays in a process
that computes much. The decision (``fuse_now``, ``fuse_later``) is pure; the loop around it builds and remembers.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Sequence

from candlewick.engine.generate import batch_text, live_text
from candlewick.engine.plan import Plan, alone
from candlewick.engine.shape import Group, Shape
from candlewick.kernels import Kernel, build, built_before, kernel_version

WORTH_FUSING = 50_000_000
"""Bars x indicators computed one by one after which a fused kernel, compiled meanwhile, will have paid."""

_work: Counter[Shape] = Counter()
_compiling: dict[Shape, threading.Thread] = {}
_ready: set[Shape] = set()
_lock = threading.Lock()


def fuse_now(fused_built: bool, members: int, singles_missing: int) -> bool:
    """Compile the fused kernel at once: it is on disk, or about as quick to compile as the single ones missing."""
    return fused_built or members == 1 or 2 * singles_missing >= members


def fuse_later(work: int) -> bool:
    """Compile the fused kernel in the background: so much has been computed one by one that more will come."""
    return work >= WORTH_FUSING


def choose(group: Group, bars: int) -> tuple[Group, ...]:
    """The group itself when its kernel is ready or soon compiled, else its indicators one by one."""
    shape = group.shape
    if shape in _ready:
        return (group,)
    singles = alone(group)
    if fuse_now(_on_disk(shape), len(shape.members), _missing(singles)):
        batch_kernel(shape)
        return (group,)
    with _lock:
        _work[shape] += bars * len(shape.members)
        if fuse_later(_work[shape]) and shape not in _compiling:
            _compiling[shape] = threading.Thread(target=batch_kernel, args=(shape,), name="candlewick-compile")
            _compiling[shape].start()
    return singles


def ready(group: Group) -> bool:
    """True when the group's fused kernel needs no compiling."""
    return group.shape in _ready or _on_disk(group.shape)


def batch_kernel(shape: Shape) -> Kernel:
    """The kernel with ``run`` and ``scan``, compiled or taken from disk."""
    kernel = _batch(shape)
    _ready.add(shape)
    return kernel


@functools.lru_cache(maxsize=512)
def live_kernel(shape: Shape) -> Kernel:
    """The kernel with ``many``, compiled or taken from disk."""
    return build("live", live_text(shape))


def warm_up_plan(plan: Plan, live: bool = True) -> None:
    """Return when every fused kernel of the plan is compiled and in use."""
    for group in plan.groups:
        batch_kernel(group.shape)
        if live:
            live_kernel(group.shape)


def version_of(plan: Plan) -> str:
    """One name for all the arithmetic of a plan: equal versions give equal bits."""
    return kernel_version("\n".join(_batch_text(group.shape) for group in plan.groups))


@functools.lru_cache(maxsize=512)
def _batch(shape: Shape) -> Kernel:
    return build("batch", _batch_text(shape))


@functools.lru_cache(maxsize=512)
def _batch_text(shape: Shape) -> str:
    return batch_text(shape)


def _missing(singles: Sequence[Group]) -> int:
    shapes = {group.shape for group in singles}
    return sum(shape not in _ready and not _on_disk(shape) for shape in shapes)


def _on_disk(shape: Shape) -> bool:
    return built_before("batch", _batch_text(shape))
