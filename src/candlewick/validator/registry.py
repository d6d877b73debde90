"""The checklist, in its order. A new check is a file with its Check, and a line here."""

from __future__ import annotations

from candlewick.validator.cache_hit_rate import CACHE_HIT_RATE
from candlewick.validator.check import Check
from candlewick.validator.concurrency import CONCURRENCY
from candlewick.validator.coverage import COVERAGE
from candlewick.validator.feature_flags import FEATURE_FLAGS
from candlewick.validator.leaks import LEAKS
from candlewick.validator.memory import MEMORY
from candlewick.validator.monitoring import MONITORING
from candlewick.validator.parity import PARITY
from candlewick.validator.rollback import ROLLBACK
from candlewick.validator.service_integration import SERVICE_INTEGRATION
from candlewick.validator.speed import SPEED

CHECKS: tuple[Check, ...] = (
    COVERAGE,
    SERVICE_INTEGRATION,
    PARITY,
    SPEED,
    MEMORY,
    CACHE_HIT_RATE,
    LEAKS,
    CONCURRENCY,
    MONITORING,
    FEATURE_FLAGS,
    ROLLBACK,
)
