"""COCO keypoints (Lin et al., ECCV 2014) of hands, and the hands of COCO-WholeBody (Jin et al., ECCV 2020).

images/SPLIT/*.jpg and annotations/SPLIT.json. Keypoints are counted from the first pixel's centre ("0-indexed"), boxes
from the picture's corner. What COCO has no place for is in fields of ours that its readers pass over: `K` and
`world_to_cam` of an image, `joints_cam` of an annotation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rigging.joints import JOINT_NAMES, JOINT_PARENTS

from .boxes import mask_box, run_lengths
from .conventions import Convention
from .folder import put
from .source import Part, Sample, Source
from .target import PART_RECORDS, Record, Target, dumps, listed, put_text, records_of, write_records

FIELDS = ("mask", "joints_world", "joints_2d", "joint_visible", "joint_in_frame", "K", "world_to_cam")
UNLABELLED, HIDDEN, VISIBLE = 0, 1, 2  # COCO's v
BODY = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
LENGTHS = {"face": 68, "lefthand": 21, "righthand": 21, "foot": 6}  # keypoints of COCO-WholeBody beside the body's
BOXED = ("face", "lefthand", "righthand")
HAND = {
    "id": 1, "name": "hand", "supercategory": "person", "keypoints": list(JOINT_NAMES),
    "skeleton": [[parent + 1, joint + 1] for joint, parent in enumerate(JOINT_PARENTS) if parent >= 0],
}  # fmt: skip
PERSON = {"id": 1, "name": "person", "supercategory": "person", "keypoints": list(BODY), "skeleton": []}

Labels = Callable[[list[float], tuple[float, ...], str], Record]


def keypoints(sample: Sample, convention: Convention) -> np.ndarray:
    """x, y, v of each joint (V, 21, 3): v is 2 if it is seen, 1 if hidden, and all are 0 outside the picture."""
    values = sample.values
    flags = np.where(values["joint_visible"], VISIBLE, HIDDEN)
    rows = np.concatenate([convention.pixels(values["joints_2d"]), flags[..., None]], axis=-1)
    return convention.joints(np.where(values["joint_in_frame"][..., None], rows, UNLABELLED))


def hand_labels(points: list[float], box: tuple[float, ...], hand: str) -> Record:
    """The keypoints (63 numbers) of a hand as COCO's own field."""
    return {"keypoints": points, "num_keypoints": sum(v > 0 for v in points[2::3]), "handedness": hand}


def whole_body_labels(points: list[float], box: tuple[float, ...], hand: str) -> Record:
    """The keypoints (63 numbers) of a hand as a field of COCO-WholeBody; everything else of the person is invalid."""
    record: Record = {"keypoints": [0] * 51, "num_keypoints": 0}
    for part, count in LENGTHS.items():
        here = part == f"{hand}hand"
        record |= {f"{part}_kpts": points if here else [0] * (3 * count), f"{part}_valid": here}
        if part in BOXED:
            record[f"{part}_box"] = list(box) if here else [0] * 4
    return record


def _records(
    samples: Iterable[Sample], part: Part, convention: Convention, out: Path, labels: Labels
) -> Iterator[Record]:
    for sample in samples:
        values, points = sample.values, keypoints(sample, convention)
        K = convention.intrinsics(values["K"])
        joints = convention.joints(convention.points(values["joints_world"], values["world_to_cam"]))
        for view, picture in enumerate(sample.pictures):
            put(out / "images" / part.split / f"{sample.key(view)}.jpg", picture)
            mask, number = values["mask"][view], sample.number * len(K) + view + 1
            box = mask_box(mask)
            image = {"id": number, "file_name": f"{sample.key(view)}.jpg", "height": len(mask), "width": mask.shape[1]}
            yield {
                "image": image | {"K": K[view].tolist(), "world_to_cam": values["world_to_cam"][view].tolist()},
                "annotation": {
                    "id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "area": int(mask.sum()),
                    "bbox": list(box), "segmentation": run_lengths(mask), "joints_cam": joints[view].tolist(),
                    **labels(np.round(points[view], 4).reshape(-1).tolist(), box, values["meta"]["hand"]),
                },
            }  # fmt: skip


def _write(
    samples: Iterable[Sample], part: Part, convention: Convention, file: BinaryIO, out: Path, labels: Labels
) -> None:
    write_records(_records(samples, part, convention, out, labels), file)


def _finish(source: Source, convention: Convention, out: Path, category: dict[str, Any]) -> None:
    """The table of each split."""
    info = {"description": f"{source.attrs['release']}, {source.attrs['licence']}"}
    head = dumps({"info": info, "licenses": [], "categories": [category]})[:-1]
    for split in source.splits:
        images, annotations = (listed(_column(source, split, out, name)) for name in ("image", "annotation"))
        pieces = chain([head, ',"images":'], images, [',"annotations":'], annotations, ["}"])
        put_text(out / "annotations" / f"{split}.json", pieces)


def _column(source: Source, split: str, out: Path, name: str) -> Iterator[str]:
    return (dumps(record[name]) for record in records_of(source, split, out))


def target(source: Source) -> Target:
    """COCO keypoints, of a category `hand`."""
    return Target(FIELDS, PART_RECORDS, partial(_write, labels=hand_labels), partial(_finish, category=HAND))


def whole_body_target(source: Source) -> Target:
    """COCO-WholeBody, of a person of whom one hand is seen."""
    return Target(FIELDS, PART_RECORDS, partial(_write, labels=whole_body_labels), partial(_finish, category=PERSON))
