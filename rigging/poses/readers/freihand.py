"""Reader of FreiHAND (Zimmermann et al., ICCV 2019): {training,evaluation}_{K,xyz}.json, lists over frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .files import chosen_numbers, frames_of_numbers, read_json
from .permutations import to_canonical

LICENCE = "FreiHAND: research only, no commercial use"


@dataclass(frozen=True)
class FreihandSource:
    """The root folder of FreiHAND. Frames are unrelated, so every clip has one frame and no subject is known.

    A frame that is null or no list of 21 points is left to the gate. `K` may be absent, or shorter than the poses.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    split: Literal["training", "evaluation"] = "training"
    frames: tuple[str, ...] = ()  # numbers and ranges, such as 0-999; all if empty
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """One clip per frame, in the frame of its camera (x right, y down, z forward); extra holds K where it is."""
        file = Path(self.path) / f"{self.split}_xyz.json"
        joints = to_canonical("freihand", frames_of_numbers(_read_list(file), (21, 3)))
        intrinsics = _intrinsics(file.with_name(f"{self.split}_K.json"))
        digest = file_sha256(file)
        for frame in sorted(chosen_numbers(self.frames, f"{file}: frames", len(joints))):
            yield PoseClip(
                joints=joints[frame : frame + 1],
                name=f"{self.split}/{frame:08d}",
                subject="",
                source="freihand",
                licence=LICENCE,
                frame_ids=(frame,),
                tip_def="mano",
                extra={"K": intrinsics[frame : frame + 1]} if frame < len(intrinsics) else {},
                sha256=digest,
            )


def _read_list(file: Path) -> list:
    values = read_json(file)
    if not isinstance(values, list) or not values:
        got = "an empty list" if isinstance(values, list) else type(values).__name__
        raise PoseError(f"{file}: {got}, allowed is a list of frames")
    return values


def _intrinsics(file: Path) -> np.ndarray:
    """K (n, 3, 3) in pixels, NaN where a frame's is damaged; none where the file was not downloaded."""
    return frames_of_numbers(_read_list(file), (3, 3)) if file.is_file() else np.zeros((0, 3, 3))
