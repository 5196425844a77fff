"""What would mend a recording of which most frames are rejected: another hand, unit, order of joints or of numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np

from ..clip import PoseClip
from ..readers.mirror import mirror_points
from ..readers.permutations import JOINT_ORDERS, NONE, to_canonical
from ..rejects import recording
from .frames import frame_reasons
from .settings import GateSettings, gate_settings

SAMPLE = 24  # frames that are tried of a recording
RECORDINGS = 8  # recordings that are tried of a source
ENOUGH = 0.5  # share of frames that must be rejected before a hint is looked for, and that it must save
UNTRIED = ("missing", "jump")  # reasons that no other reading of the numbers mends
_UNITS = {"mm": 1e-3, "cm": 1e-2, "m": 1e3}  # what is tried on frames that were read as metres

Reading = tuple[str, str, Callable[[np.ndarray, bool], np.ndarray]]


def find_hints(clips: Sequence[PoseClip], reasons: Sequence[Sequence[str]], settings: GateSettings) -> tuple[str, ...]:
    """What would let most frames through of recordings of which most are rejected, one line each.

    `reasons` are those of each clip's frames, "" where a frame is good.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name, joints, mirrored in _rejected(clips, reasons):
        hint = _hint(joints, mirrored, settings)
        if hint:
            found[hint].append(name)
    return tuple(f"{hint} ({_names(names)})" for hint, names in found.items())


def _names(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _rejected(clips: Sequence[PoseClip], reasons: Sequence[Sequence[str]]) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Name, rejected frames (n, 21, 3) and handedness of some recordings of which ENOUGH frames are rejected."""
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for number, clip in enumerate(clips):
        groups[recording(clip.name), clip.mirrored].append(number)
    bad = [np.array([bool(r) and r.partition(":")[0] not in UNTRIED for r in row], dtype=bool) for row in reasons]
    wanting = [
        key
        for key, members in groups.items()
        if sum(bad[i].sum() for i in members) >= max(1, ENOUGH * sum(len(clips[i]) for i in members))
    ]
    for name, mirrored in wanting[:: -(-len(wanting) // RECORDINGS) or 1]:
        joints = np.concatenate([clips[i].joints[bad[i]] for i in groups[name, mirrored]]).astype(np.float64)
        yield name, joints[:: -(-len(joints) // SAMPLE)], mirrored


def _hint(joints: np.ndarray, mirrored: bool, settings: GateSettings) -> str:
    """What lets ENOUGH of the frames through: one other reading, the noisy preset, or two readings together."""
    if (np.ptp(joints, axis=1) == 0).all():
        return "all joints lie on one point: no hand, or rows and columns of matrices swapped"
    single = _first_that_fits(joints, mirrored, settings, 1)
    if single:
        return single
    if settings == GateSettings() and _share_good(joints, gate_settings({"preset": "noisy"})) >= ENOUGH:
        return "bones vary from frame to frame as in noisy annotations: the gate's preset noisy would fit"
    return _first_that_fits(joints, mirrored, settings, 2)


def _first_that_fits(joints: np.ndarray, mirrored: bool, settings: GateSettings, count: int) -> str:
    """The words of the first `count` readings of different kinds that together let ENOUGH of the frames through."""
    for chosen in combinations(_readings(), count):
        if len({kind for kind, _, _ in chosen}) < count:
            continue
        read = joints
        for _, _, change in chosen:
            read = change(read, mirrored)
        if _share_good(read, settings) >= ENOUGH:
            return " and ".join(text for _, text, _ in chosen)
    return ""


def _share_good(joints: np.ndarray, settings: GateSettings) -> float:
    none = np.zeros(len(joints), dtype=int)
    valid = np.isfinite(joints).all(-1)
    return frame_reasons(joints, valid, none, none, settings, none.astype(bool)).count("") / len(joints)


def _readings() -> list[Reading]:
    """Kind, words, and what turns joints (n, 21, 3) of right hands, mirrored or not, into those of another reading."""
    orders = [
        ("order", f"the joints look like order {name}", _in_order(name))
        for name, order in JOINT_ORDERS.items()
        if order.count == 21 and NONE not in order.indices and order.indices != tuple(range(21))
    ]
    return [
        ("hand", "the other hand would fit", lambda joints, mirrored: mirror_points(joints)),
        *(("unit", f"it looks like {name}", _scaled(factor)) for name, factor in _UNITS.items()),
        ("axes", "rows and columns look swapped", _swapped),
        *orders,
    ]


def _scaled(factor: float) -> Callable[[np.ndarray, bool], np.ndarray]:
    return lambda joints, mirrored: joints * factor


def _in_order(name: str) -> Callable[[np.ndarray, bool], np.ndarray]:
    wrist_from = "ring" if JOINT_ORDERS[name].wrist_def == "palm_centre" else None
    return lambda joints, mirrored: to_canonical(name, joints, wrist_from)


def _swapped(joints: np.ndarray, mirrored: bool) -> np.ndarray:
    """Numbers stored as (3, 21) that were read as (21, 3); a left hand was mirrored after that."""
    read = mirror_points(joints) if mirrored else joints
    read = read.reshape(len(joints), 3, 21).swapaxes(1, 2)
    return mirror_points(read) if mirrored else read
