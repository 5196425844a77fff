"""Reader of FreiHAND (Zimmermann et al., ICCV 2019): {training,evaluation}_{K,xyz}.json, lists over frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...files import file_sha256
from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .files import numbers, read_json
from .permutations import to_canonical
from .units import unit_scale

LICENCE = "FreiHAND: research only, no commercial use"


@dataclass(frozen=True)
class FreihandSource:
    """The root folder of FreiHAND. Frames are unrelated, so every clip has one frame and no subject is known.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    split: Literal["training", "evaluation"] = "training"
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """One clip per frame, in the frame of its camera (x right, y down, z forward); extra holds K."""
        files = {key: Path(self.path) / f"{self.split}_{key}.json" for key in ("xyz", "K")}
        xyz = numbers(read_json(files["xyz"]), (-1, 21, 3), str(files["xyz"]))
        intrinsics = numbers(read_json(files["K"]), (-1, 3, 3), str(files["K"]))
        if len(xyz) != len(intrinsics) or not len(xyz):
            raise PoseError(f"{files['xyz']}: {len(xyz)} frames, {files['K'].name} has {len(intrinsics)}")
        joints = to_canonical("freihand", xyz)
        joints = joints * unit_scale(joints, "m", str(files["xyz"]))
        digest = file_sha256(files["xyz"])
        for frame in range(len(joints)):
            yield PoseClip(
                joints=joints[frame : frame + 1],
                name=f"{self.split}/{frame:08d}",
                subject="",
                source="freihand",
                licence=LICENCE,
                frame_ids=(frame,),
                tip_def="mano",
                extra={"K": intrinsics[frame : frame + 1]},
                sha256=digest,
            )
