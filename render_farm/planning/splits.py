"""The splits of a release by name, and what each holds out."""

from __future__ import annotations

SPLITS = ("train", "val", "test", "test_subject", "test_pose", "test_background", "test_camera", "test_all")
TRAIN, VAL, TEST, TEST_SUBJECT, TEST_POSE, TEST_BACKGROUND, TEST_CAMERA, TEST_ALL = range(len(SPLITS))
FACTORS = ("subject", "pose", "background", "camera")
# What a split has levels of that occur in no split but those that hold the same factor out. `val` beside them holds
# out nothing but its pairs: it is the reference that a drop on test_X is measured from. The plain `test` (with `train`
# and `val` alone) is not one of these: all three then have subjects and panoramas of their own.
HOLDS_OUT = {
    "test_subject": ("subject",),
    "test_pose": ("pose",),
    "test_background": ("background",),
    "test_camera": ("camera",),
    "test_all": FACTORS,
}
HOLD_OUT_SPLITS = tuple(HOLDS_OUT)


def holds_out(split: int, factor: str) -> bool:
    """Whether split number `split` holds out `factor`, one of FACTORS."""
    return factor in HOLDS_OUT.get(SPLITS[split], ())


def holding_out(factor: str) -> tuple[int, ...]:
    """Numbers of the splits that hold out `factor`."""
    return tuple(number for number in range(len(SPLITS)) if holds_out(number, factor))
