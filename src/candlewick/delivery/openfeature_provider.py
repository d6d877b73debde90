"""OpenFeature: the flags for programs that ask by that standard. Our own code asks ``Control``, which is quicker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from candlewick.definitions import Value
from candlewick.delivery.control import Control
from candlewick.delivery.flags import keys_of
from candlewick.delivery.routing import CLASSIC, OPTIMIZED, route
from candlewick.delivery.snapshot import Snapshot

if TYPE_CHECKING:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagValueType

T = TypeVar("T")
ROUTED = "use_optimized_analytics"
"""With a targeting key this one says whether V2 answers that key: what the rollout comes to."""
LISTS = ("rollout_allow", "rollout_deny")


class CandlewickProvider(AbstractProvider):
    """``openfeature.api.set_provider(CandlewickProvider(control))``.

    A flag that does not exist is FLAG_NOT_FOUND, one of another type TYPE_MISMATCH; both give the default. An integer
    is a float too. As an object, ``rollout_allow`` and ``rollout_deny`` are lists of keys.
    """

    def __init__(self, control: Control) -> None:
        super().__init__()
        self._control = control

    def get_metadata(self) -> Metadata:
        return Metadata(name="candlewick")

    def get_provider_hooks(self) -> list[Any]:
        return []

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        snapshot = self._control.current
        key = evaluation_context.targeting_key if evaluation_context is not None else None
        if flag_key == ROUTED and key:
            return _routed(snapshot, key)
        return _resolved(snapshot, flag_key, default_value, lambda value: value if isinstance(value, bool) else None)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return _resolved(
            self._control.current, flag_key, default_value, lambda value: value if isinstance(value, str) else None
        )

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return _resolved(self._control.current, flag_key, default_value, _whole)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return _resolved(self._control.current, flag_key, default_value, _number)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        def listed(value: Value) -> Sequence[FlagValueType] | None:
            return sorted(keys_of(value)) if flag_key in LISTS else None

        return _resolved(self._control.current, flag_key, default_value, listed)


def _routed(snapshot: Snapshot, key: str) -> FlagResolutionDetails[bool]:
    engine = route(snapshot, key)
    if snapshot.killed:
        reason = Reason.DISABLED
    elif key in snapshot.deny or key in snapshot.allow:
        reason = Reason.TARGETING_MATCH
    else:
        reason = Reason.SPLIT if 0 < snapshot.share < 100 else Reason.STATIC
    variant = OPTIMIZED if engine == OPTIMIZED else CLASSIC
    return FlagResolutionDetails(engine == OPTIMIZED, reason=reason, variant=variant)


def _resolved(snapshot: Snapshot, name: str, default: T, typed: Any) -> FlagResolutionDetails[T]:
    found = snapshot.flags.get(name)
    if found is None:
        return FlagResolutionDetails(
            default,
            error_code=ErrorCode.FLAG_NOT_FOUND,
            error_message=f"flag: {name!r} is unknown; known: {', '.join(snapshot.flags)}",
            reason=Reason.ERROR,
        )
    value = typed(found.value)
    if value is None:
        return FlagResolutionDetails(
            default,
            error_code=ErrorCode.TYPE_MISMATCH,
            error_message=f"flag: {name!r} is of type {type(found.value).__name__}",
            reason=Reason.ERROR,
        )
    reason = Reason.DEFAULT if found.origin == "default" else Reason.STATIC
    return FlagResolutionDetails(value, reason=reason, flag_metadata={"origin": found.origin})


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
