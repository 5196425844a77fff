"""Whether points are in the order of joints that they are said to be in."""

from __future__ import annotations

import numpy as np

from ..clip import PoseError
from ..gate.checks import proportion_factor
from .permutations import JOINT_ORDERS, joint_order, to_canonical
from .thumb import with_thumb_base

PLAUSIBLE, ABSURD = 1.75, 2.0  # times too long or short the most unusual bone is: at most in hands, at least in others
SEEN = 200  # frames


def check_order(points: np.ndarray, order: str, where: str) -> None:
    """Say so if points (N, K, 3) of one maker are no hands in `order`, but in another order of as many points.

    Raises:
        PoseError: naming that order.
    """
    seen = points[np.isfinite(points).all((1, 2))]
    seen = seen[:: max(1, len(seen) // SEEN)]
    if not unusual(seen, order) >= ABSURD:  # nor where there is no frame to judge by
        return
    count = joint_order(order).count
    others = [name for name, other in JOINT_ORDERS.items() if other.count == count and name != order]
    best = min(others, key=lambda name: unusual(seen, name), default=order)
    if unusual(seen, best) < PLAUSIBLE:
        raise PoseError(f"{where}: the points are no hands in order {order}, but in order {best} (key or option order)")


def unusual(points: np.ndarray, order: str) -> float:
    """How many times too long or short the most unusual bone of the median frame of points (N, K, 3) is; else NaN."""
    table = joint_order(order)
    with np.errstate(all="ignore"):  # collapsed frames, and numbers beyond any place
        joints = to_canonical(order, points, "ring" if table.wrist_def == "palm_centre" else None)
        factors = proportion_factor(with_thumb_base(joints) if table.lacks_thumb_base else joints)
    factors = factors[np.isfinite(factors)]
    return float(np.median(factors)) if len(factors) else float("nan")
