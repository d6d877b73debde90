"""Evidence: an e-value for "V2 is worse", from two counts, that may be looked at after every event.

Each incident is a toss: it blames V2 or V1. If V2 is no worse, V2's share of the blame is at most 1/2, whatever came
before. Betting on a share spread evenly over 1/2 to 1 multiplies a stake by

    E(n, k) = 2^(n+1) * integral from 1/2 to 1 of p^k (1 - p)^(n - k) dp

after ``k`` of ``n`` incidents blamed V2. No fair game multiplies a stake by x with more than chance 1/x, however long
it is played and whenever it is stopped (Ville), which is what makes ``x`` a threshold for an alarm.
"""

from __future__ import annotations


def e_value(incidents: int, blaming_v2: int) -> float:
    """E(n, k). Relative error below ``(k + 1) * 2^-52``; infinite beyond the largest float."""
    # By parts: E(k, m) = (1 + k E(k - 1, m + 1)) / (m + 1), m = n - k, from E(0, n) = 1 / (n + 1); no term is negative.
    found = 1.0 / (incidents + 1)
    for k in range(1, blaming_v2 + 1):
        found = (1.0 + k * found) / (incidents - k + 1)
    return found


def threshold(trial: int, alpha: float) -> float:
    """What the e-value of the ``trial``-th run of evidence must reach, so that all runs together stay within ``alpha``:
    the chances alpha / (k (k + 1)) of k = 1, 2, ... add up to alpha."""
    return trial * (trial + 1) / alpha
