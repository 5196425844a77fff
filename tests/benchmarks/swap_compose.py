"""Staged hands before backgrounds, with one thing swapped at a time: pictures for the detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.labels.coverage import composite
from blender_scripts.looks.backgrounds import develop
from blender_scripts.looks.colour import LUMINANCE
from dataset_tools.progress import Progress
from rigging.files import atomic_file

Views = np.ndarray  # (V, H, W, 3) float32, linear light, exposed
Stage = Mapping[str, np.ndarray]
SMOOTH = 5.0  # px, blur that takes texture away and leaves light and dark
RING = 9  # px about the hand that are compared with it
NONE = "nothing (black)"
HAND, ARM = 1, 2  # in what a picture shows


def flat(background: Views) -> Views:
    """Each view's mean colour."""
    return np.broadcast_to(background.mean((1, 2), keepdims=True), background.shape)


def smooth(background: Views) -> Views:
    """Blurred by SMOOTH px."""
    return np.stack([cv2.GaussianBlur(view, (0, 0), SMOOTH, borderType=cv2.BORDER_REPLICATE) for view in background])


def grey(background: Views) -> Views:
    """Its luminance."""
    return np.repeat((background @ LUMINANCE)[..., None], 3, -1)


def as_bright(background: Views, other: Views) -> Views:
    """Each view scaled to the other's mean luminance."""
    return background * ((flat(other) @ LUMINANCE) / np.maximum(flat(background) @ LUMINANCE, 1e-4))[..., None]


def faded(background: Views) -> Views:
    """Half the contrast about each view's mean."""
    return (background + flat(background)) / 2


BACKGROUNDS: dict[str, Callable[[Views, Views], Views]] = {  # of panorama and room
    "panorama": lambda panorama, room: panorama,
    "room": lambda panorama, room: room,
    NONE: lambda panorama, room: np.zeros_like(room),
    "room, mean colour": lambda panorama, room: flat(room),
    "panorama, mean colour": lambda panorama, room: flat(panorama),
    "room, smooth": lambda panorama, room: smooth(room),
    "room, grey": lambda panorama, room: grey(room),
    "room, half contrast": lambda panorama, room: faded(room),
    "room, as bright as the panorama": lambda panorama, room: as_bright(room, panorama),
    "panorama, as bright as the room": lambda panorama, room: as_bright(panorama, room),
}
ARMS = ("bare", "sleeve", "sleeve, skin-coloured", "none")
CROSSED = ("panorama", "room")  # backgrounds that all ARMS are tried on; the others on the bare arm


def conditions() -> list[tuple[str, str]]:
    """(arm, background), each once."""
    return [(arm, name) for name in CROSSED for arm in ARMS] + [
        ("bare", name) for name in BACKGROUNDS if name not in CROSSED
    ]


def composed(stage: Stage, arm: str, background: str) -> np.ndarray:
    """Pictures (V, H, W, 3) uint8 of a staged pair."""
    style = "bare" if arm in ("bare", "none") else "sleeve"
    hands, coverage = stage[f"hand_{style}"].astype(np.float32), stage[f"coverage_{style}"].astype(np.float32)
    shown, gains = stage[f"shown_{style}"], stage["gains"].astype(np.float32)
    if arm == "none":  # nor its outline, whose pixels' centres show what is behind
        arm_near = np.stack([cv2.dilate((view == ARM).astype(np.uint8), np.ones((3, 3))) for view in shown]) > 0
        coverage = np.where(arm_near & (shown != HAND), 0, coverage).astype(np.float32)
    if arm == "sleeve, skin-coloured":
        hands = _recoloured(hands, shown)
    kinds = (stage[f"background_{kind}"].astype(np.float32) for kind in ("hdri", "clutter"))
    behind = np.ascontiguousarray(BACKGROUNDS[background](*kinds), np.float32)
    blur, still = float(stage["lens_blur"]), np.random.default_rng(0)
    return np.stack([develop(composite(*view, gains), blur, 0.0, still) for view in zip(hands, coverage, behind)])


def _recoloured(hands: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """The arm's light scaled to the mean colour of the hand, over all views: its folds and shading stay."""
    means = [hands[..., :3][shown == part].mean(0) for part in (HAND, ARM)]
    out = hands.copy()
    out[..., :3] *= np.where((shown == ARM)[..., None], means[0] / np.maximum(means[1], 1e-4), 1)
    return out


def surroundings(picture: np.ndarray, shown: np.ndarray) -> tuple[float, float]:
    """Of a picture and what it shows (H, W): distance in Lab of hand and the RING about it, and its mean gradient."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    inside = shown > 0
    wide = cv2.dilate(inside.astype(np.uint8), np.ones((2 * RING + 1,) * 2)) > 0
    ring = wide & ~(cv2.dilate(inside.astype(np.uint8), np.ones((5, 5))) > 0)
    if not ring.any() or not (shown == HAND).any():
        return np.nan, np.nan
    gradient = np.hypot(*(cv2.Sobel(lab[..., 0], cv2.CV_32F, *axis) / 8 for axis in ((1, 0), (0, 1))))
    return float(np.linalg.norm(lab[shown == HAND].mean(0) - lab[ring].mean(0))), float(gradient[ring].mean())


def compose(folder: Path) -> None:
    """Write the pictures of every staged pair in all `conditions`, and what is about the hand."""
    paths = sorted(folder.glob("pair-*.npz"))
    with Progress("composing", len(paths), "pair") as progress:
        for path in paths:
            if not (out := folder / f"views-{path.stem.removeprefix('pair-')}.npz").exists():
                stage = dict(np.load(path))
                pictures = [composed(stage, *key) for key in conditions()]
                near = [
                    [
                        surroundings(*view)
                        for view in zip(pictures[conditions().index(("bare", name))], stage["shown_bare"])
                    ]
                    for name in CROSSED
                ]
                same = {name: stage[name] for name in ("subject", "ita", "arm", "kind", "toward")}
                with atomic_file(out) as file:
                    np.savez(file, pictures=np.stack(pictures), near=np.array(near), conditions=conditions(), **same)
            progress.add(1)
