"""Crop, mirror and rotate a loaded sample: the picture, its cameras and every label move together.

Each takes a sample as HandDataset returns it, with any of its fields, with the axis of views or of a single view, and
returns a new dict; the given one stays as it is. docs/loader.md says for every field what moves. Where joints_world and
the cameras are in the sample, joints_2d and joints_cam are derived anew, as the loader does.
Raises InputError for fields that are not the schema's, and for a field that cannot be moved without another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..format.schema import SAMPLE_FIELDS
from .derive import derive
from .resample import crop_colours, pick, sources, warp_colours
from .sample_views import Sample, Size, checked_size, finite, image_size, view_count, with_views, without_views

COLOURS = ("rgb", "alpha")  # averaged; all other images are labels, and picked
FLOWS = ("flow_forward", "flow_backward")
IMAGES = tuple(name for name, field in SAMPLE_FIELDS.items() if field.group == "images")
X_FLIPS = ("normals", *FLOWS, "joints_cam", "joints_world", "vertices_world", "arm_vertices_world")
OTHER_HAND = {"right": "left", "left": "right"}
SMALLEST, FARTHEST = 1e-3, 1e6  # px: sides of a box, and coordinates, that float32 still tells apart


def crop(sample: Mapping[str, Any], box: Sequence[float] | np.ndarray, size: int | Size) -> Sample:
    """The part of the picture in `box`, as a picture of `size`.

    `box` is x0, y0, x1, y1 in px, of the same part for all views or (V, 4); it may reach over the edge, where the
    picture is black and labels are background, and need not have the proportions of `size`, which is (width, height)
    px or one number for both. K' = M K, where M scales and shifts pixels: u' = (u - x0) w / (x1 - x0), v likewise.
    """
    old, size = with_views(sample, "crop"), checked_size(size, "crop")
    boxes = _checked_boxes(box, old)
    part = boxes[:, 2:] - boxes[:, :2]  # (V, 2) px
    forward, back = _scaling(np.array(size) / part), _scaling(part / size)
    forward[:, :2, 2], back[:, :2, 2] = -boxes[:, :2] * np.array(size) / part, boxes[:, :2]
    new = _picked(old, forward, _sources(old, back, size))
    new |= {name: crop_colours(old[name], boxes, size) for name in COLOURS if name in old}
    if "K" in old:
        new["K"] = forward @ old["K"]
    return without_views(_framed(old | new, size, "crop"), sample)


def rotate(
    sample: Mapping[str, Any], angle: float, centre: Sequence[float] | None = None, size: Size | None = None
) -> Sample:
    """The picture turned by `angle` radians from x to y (clockwise as one sees it), in a frame of the same size.

    It turns about `centre` (x, y) px, by default the image's. The camera rolls by the same angle about its axis:
    world_to_cam' = Rz world_to_cam. K stays, but for the principal point, which moves as a pixel does where it is not
    the centre. Where pixels are not square (a crop that changed proportions), the roll and K', with skew, are those
    with K' Rz = M K, M being the map of pixels. `size` (width, height) px is needed for samples without an image only.
    """
    old = with_views(sample, "rotate")
    size = image_size(old, size, "rotate")
    middle, turn = np.array(size) / 2 if centre is None else finite(centre), finite(angle)
    if middle is None or middle.shape != (2,) or turn is None or turn.ndim or (np.abs(middle) > FARTHEST).any():
        raise InputError(f"rotate: angle {angle!r} and centre {centre!r}: a number and (x, y) in px are wanted, finite")
    angle = float(turn)
    count = view_count(old)
    forward, back = (np.repeat(_turning(turn, middle)[None], count, 0) for turn in (angle, -angle))
    source = _sources(old, back, size)
    new = _picked(old, forward, source)
    new |= {name: warp_colours(old[name], back, source) for name in COLOURS if name in old}
    rolls = np.full(count, angle)
    if "K" in old:
        new["K"], rolls = _rolled(old["K"], angle, middle)
    new |= _camera_axes_turned(old | new, rolls)
    return without_views(_framed(old | new, size, "rotate"), sample)


def mirror(sample: Mapping[str, Any], size: Size | None = None) -> Sample:
    """The other hand: the world mirrored across x = 0, and each picture left to right. Twice gives the same sample.

    A point (x, y, z) goes to (-x, y, z) in the world and in camera axes, a pixel x to W - x. Cameras stay rotations:
    with S = diag(-1, 1, 1), R' = S R S, t' = S t, and cx' = W - cx. `meta["hand"]` becomes the other hand,
    `meta["mirrored"]` flips; triangles face outwards with `outward(faces, meta["hand"])`. `size` (width, height) px is
    needed for samples without an image only.
    """
    old = with_views(sample, "mirror")
    width = image_size(old, size, "mirror")[0]
    new = {name: np.ascontiguousarray(old[name][:, :, ::-1]) for name in IMAGES if name in old}
    new |= {name: (old | new)[name] * np.float32([-1, 1, 1][: old[name].shape[-1]]) for name in X_FLIPS if name in old}
    if "joints_2d" in old:
        new["joints_2d"] = np.stack([width - old["joints_2d"][..., 0], old["joints_2d"][..., 1]], axis=-1)
    if "K" in old:
        new["K"] = old["K"] * np.array([[1, -1, -1], [1, 1, 1], [1, 1, 1]]) + np.array(
            [[0, 0, width], [0] * 3, [0] * 3]
        )
    if "world_to_cam" in old:
        signs = np.array([-1.0, 1, 1, 1])
        new["world_to_cam"] = signs[:, None] * old["world_to_cam"] * signs
    if "distortion" in old:
        new["distortion"] = old["distortion"] * np.array([1, 1, 1, -1, 1])  # of k1, k2, p1, p2, k3: x' = -x
    if "meta" in old:
        new["meta"] = _other_hand(old["meta"])
    return without_views(_derived(old | new), sample)


def right_handed(sample: Mapping[str, Any], size: Size | None = None) -> Sample:
    """The sample as a right hand: `mirror` of a left one. `meta["hand"]` has to be in it; `size` as of `mirror`."""
    if "hand" not in with_views(sample, "right_handed").get("meta", ()):
        raise InputError('right_handed: the sample does not say which hand it shows; load the field "hand", too')
    return dict(sample) if sample["meta"]["hand"] == "right" else mirror(sample, size)


def _other_hand(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of the mirrored sample; `light` and `background` still describe the picture before."""
    new = dict(meta)
    if "hand" in meta:
        if meta["hand"] not in OTHER_HAND:
            raise InputError(f"mirror: hand is {meta['hand']!r}, {' or '.join(map(repr, OTHER_HAND))} is wanted")
        new["hand"] = OTHER_HAND[meta["hand"]]
    if "mirrored" in meta:
        new["mirrored"] = not meta["mirrored"]
    if "source_joints" in meta:
        new["source_joints"] = meta["source_joints"] * np.float32([-1, 1, 1])
    return new


def _checked_boxes(box: Any, old: Sample) -> np.ndarray:
    """Boxes (V, 4) px, float64."""
    boxes, count = finite(box), view_count(old)
    if boxes is None:
        raise InputError(f"crop: box is {box!r}, x0, y0, x1, y1 in px are wanted, finite")
    if boxes.shape not in ((4,), (count, 4)):
        raise InputError(f"crop: box has shape {boxes.shape}, (4,) or ({count}, 4) is wanted")
    boxes = np.broadcast_to(boxes, (count, 4))
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        raise InputError(f"crop: box is {np.asarray(box).tolist()}, x0 < x1 and y0 < y1 in px are wanted")
    if (boxes[:, 2:] - boxes[:, :2] < SMALLEST).any() or (np.abs(boxes) > FARTHEST).any():
        raise InputError(
            f"crop: box is {np.asarray(box).tolist()}, sides from {SMALLEST:g} px within {FARTHEST:g} px are wanted"
        )
    return boxes


def _scaling(factors: np.ndarray) -> np.ndarray:
    """Maps (V, 3, 3) that scale by `factors` (V, 2)."""
    return np.concatenate([factors, np.ones((len(factors), 1))], axis=1)[:, :, None] * np.eye(3)


def _turning(angle: float, middle: np.ndarray) -> np.ndarray:
    """The map (3, 3) of pixels that turns by `angle` about `middle` (2,) px."""
    matrix = _roll(angle)
    matrix[:2, 2] = middle - matrix[:2, :2] @ middle
    return matrix


def _roll(angle: float) -> np.ndarray:
    """(3, 3) rotation about z, from x to y."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _sources(old: Sample, back: np.ndarray, size: Size) -> np.ndarray | None:
    """(V, h, w) the pixels of a sample's images where new ones come from, through `back` (V, 3, 3); None: no images."""
    return sources(back, image_size(old, None, "images"), size) if any(name in old for name in IMAGES) else None


def _picked(old: Sample, forward: np.ndarray, source: np.ndarray | None) -> Sample:
    """Label images and pixels of a sample moved by `forward` (V, 3, 3), whose pixels come from `source` (V, h, w)."""
    new = {name: pick(old[name], source) for name in IMAGES if name in old and name not in COLOURS}
    for name in FLOWS:
        if name in new:
            new[name] = np.einsum("vij,vhwj->vhwi", forward[:, :2, :2].astype(np.float32), new[name])
    if "joints_2d" in old:
        moved = np.einsum("vij,vnj->vni", forward[:, :2, :2], old["joints_2d"]) + forward[:, None, :2, 2]
        new["joints_2d"] = moved.astype(np.float32)
    return new


def _rolled(K: np.ndarray, angle: float, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """K' (V, 3, 3) and rolls (V,) with K' Rz(roll) = M K, for M the turn of pixels by `angle` about `middle`."""
    turn, new, rolls = _roll(angle)[:2, :2], K.copy(), np.full(len(K), angle)
    new[:, :2, 2] = middle + (K[:, :2, 2] - middle) @ turn.T
    for view, matrix in enumerate(K[:, :2, :2]):
        if matrix[0, 0] == matrix[1, 1] and not matrix[0, 1] and not matrix[1, 0]:
            continue  # square pixels: a turn and a scale change places
        turned = turn @ matrix
        rolls[view] = np.arctan2(turned[1, 0], turned[1, 1])
        new[view, :2, :2] = turned @ _roll(-rolls[view])[:2, :2]
        new[view, 1, 0] = 0
    return new, rolls


def _camera_axes_turned(sample: Sample, rolls: np.ndarray) -> Sample:
    """What is in camera axes, after the cameras rolled by `rolls` (V,) radians."""
    turns, new = np.stack([_roll(roll) for roll in rolls]), {}
    if "world_to_cam" in sample:
        new["world_to_cam"] = sample["world_to_cam"].copy()
        new["world_to_cam"][:, :3] = turns @ sample["world_to_cam"][:, :3]
    if "distortion" in sample:  # (p2, p1) is a vector of the image plane
        new["distortion"] = sample["distortion"].copy()
        new["distortion"][:, [3, 2]] = np.einsum("vij,vj->vi", turns[:, :2, :2], sample["distortion"][:, [3, 2]])
    if "joints_cam" in sample:
        new["joints_cam"] = np.einsum("vij,vnj->vni", turns, sample["joints_cam"]).astype(np.float32)
    if "normals" in sample:
        new["normals"] = np.einsum("vij,vhwj->vhwi", turns.astype(np.float32), sample["normals"])
    return new


def _derived(sample: Sample) -> Sample:
    """The sample with the joints' derived fields computed anew where what they derive from is in it."""
    names = [name for name in ("joints_cam", "joints_2d") if name in sample and _has_sources(sample, name)]
    return sample | {name: derive(name, sample) for name in names}


def _has_sources(sample: Sample, name: str) -> bool:
    return all(source in sample for source in SAMPLE_FIELDS[name].derived_from)


def _framed(sample: Sample, size: Size, what: str) -> Sample:
    """The moved sample, with what says "inside the image" said of the new one."""
    sample = _derived(sample)
    if "joint_in_frame" in sample:
        sample["joint_in_frame"] = _inside(_pixels(sample, what), size)
    for name in FLOWS:
        if f"{name}_visible" not in sample:
            continue
        if name not in sample:
            raise InputError(f"{what}: {name}_visible cannot be moved without {name}; load both or neither")
        target = sample[name] + _centres(size)
        sample[f"{name}_visible"] = sample[f"{name}_visible"] & _inside(target, size)
    return sample


def _pixels(sample: Sample, what: str) -> np.ndarray:
    """The joints (V, 21, 2) px of a moved sample."""
    if "joints_2d" in sample:
        return sample["joints_2d"]
    if _has_sources(sample, "joints_2d"):
        return derive("joints_2d", sample)
    raise InputError(f"{what}: joint_in_frame cannot be moved without joints_2d; load both or neither")


def _inside(pixels: np.ndarray, size: Size) -> np.ndarray:
    """(...) bool: which pixels (..., 2) are inside an image."""
    return ((pixels >= 0) & (pixels < np.array(size))).all(axis=-1)


def _centres(size: Size) -> np.ndarray:
    """(h, w, 2) px, float32: the centres of an image's pixels."""
    return np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1).astype(np.float32) + np.float32(0.5)
