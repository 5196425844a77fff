"""Staged hands before backgrounds, with one thing swapped at a time: pictures for the detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.labels.coverage import composite
from blender_scripts.looks.backgrounds import develop
from blender_scripts.looks.colour import LUMINANCE, linear_to_srgb8
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


def opposite(background: Views) -> Views:
    """Each colour on the other side of grey, as bright: skin-like becomes blue."""
    return np.maximum(2 * grey(background) - background, 0)


def as_bright(background: Views, other: Views) -> Views:
    """Each view scaled to the other's mean luminance."""
    return background * ((flat(other) @ LUMINANCE) / np.maximum(flat(background) @ LUMINANCE, 1e-4))[..., None]


def faded(background: Views) -> Views:
    """Half the contrast about each view's mean."""
    return (background + flat(background)) / 2


BACKGROUNDS: dict[str, Callable[[Stage], Views]] = {
    "panorama": lambda of: of["panorama"],
    "room": lambda of: of["room"],
    NONE: lambda of: np.zeros_like(of["room"]),
    "room, mean colour": lambda of: flat(of["room"]),
    "panorama, mean colour": lambda of: flat(of["panorama"]),
    "room, smooth": lambda of: smooth(of["room"]),
    "room, grey": lambda of: grey(of["room"]),
    "room, half the colour": lambda of: (of["room"] + grey(of["room"])) / 2,
    "room, opposite hues": lambda of: opposite(of["room"]),
    "panorama, grey": lambda of: grey(of["panorama"]),
    "room, half contrast": lambda of: faded(of["room"]),
    "room, as bright as the panorama": lambda of: as_bright(of["room"], of["panorama"]),
    "panorama, as bright as the room": lambda of: as_bright(of["panorama"], of["room"]),
    "lived-in room": lambda of: of["lived-in room"],
    "lived-in room, opposite hues": lambda of: opposite(of["lived-in room"]),
}
KINDS = ("panorama", "room", "lived-in room")
PULLED = {"sleeve, 16 px up": 16, "sleeve, 32 px up": 32}  # px, how much more of the bare arm is seen
ARMS = (
    "bare",
    "sleeve",
    *PULLED,
    "rolled sleeve",
    "sleeve, skin-coloured",
    "sleeve, one colour",
    "bare, in the sleeve's colour",
    "none",
)
CROSSED = KINDS[:2]  # backgrounds that all ARMS are tried on; the others on the bare arm


def conditions() -> list[tuple[str, str]]:
    """(arm, background), each once."""
    return [(arm, name) for name in CROSSED for arm in ARMS] + [
        ("bare", name) for name in BACKGROUNDS if name not in CROSSED
    ]


def composed(stage: Stage, arm: str, background: str) -> np.ndarray:
    """Pictures (V, H, W, 3) uint8 of a staged pair."""
    kinds = {kind: stage[kind].astype(np.float32) for kind in KINDS}
    pictures = np.ascontiguousarray(BACKGROUNDS[background](kinds), np.float32)
    gains, blur, still = stage["gains"].astype(np.float32), float(stage["lens_blur"]), np.random.default_rng(0)
    layers = (dressed(stage, "bare"), pulled_up(stage, PULLED[arm])) if arm in PULLED else (dressed(stage, arm),)
    for layer in layers:
        pictures = np.stack([composite(*view, gains) for view in zip(*layer, pictures)])
    return np.stack([develop(picture, blur, 0.0, still) for picture in pictures])


def pulled_up(stage: Stage, by: int) -> tuple[np.ndarray, np.ndarray]:
    """Light and coverage of the sleeve alone, farther than `by` px from the hand, to be put over the bare arm."""
    hands, coverage = dressed(stage, "sleeve")
    keep = []
    for shown in stage["shown_sleeve"]:
        arm = cv2.dilate((shown == ARM).astype(np.uint8), np.ones((3, 3))) > 0
        away = cv2.distanceTransform((shown != HAND).astype(np.uint8), cv2.DIST_L2, 5)
        keep.append(arm & (shown != HAND) & (away > by))
    return hands, np.where(keep, coverage, 0).astype(np.float32)


def dressed(stage: Stage, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Light (V, H, W, 4) and coverage (V, H, W) of the hand with that arm."""
    style = {"rolled sleeve": "rolled"}.get(arm, "sleeve" if arm.startswith("sleeve") else "bare")
    hands, coverage = stage[f"hand_{style}"].astype(np.float32), stage[f"coverage_{style}"].astype(np.float32)
    shown = stage[f"shown_{style}"]
    if arm == "none":  # nor its outline, whose pixels' centres show what is behind
        near = np.stack([cv2.dilate((view == ARM).astype(np.uint8), np.ones((3, 3))) for view in shown]) > 0
        return hands, np.where(near & (shown != HAND), 0, coverage).astype(np.float32)
    if arm == "sleeve, skin-coloured":
        return recoloured(hands, shown, mean_light(hands, shown, HAND)), coverage
    if arm == "sleeve, one colour":
        return plain(hands, shown), coverage
    if arm == "bare, in the sleeve's colour":
        return recoloured(hands, shown, mean_light(stage["hand_sleeve"], stage["shown_sleeve"], ARM)), coverage
    return hands, coverage


def mean_light(hands: np.ndarray, shown: np.ndarray, part: int) -> np.ndarray:
    """(3,) mean over all views of HAND or ARM; black where there is none."""
    seen = hands[..., :3][shown == part].astype(np.float32)
    return seen.mean(0) if len(seen) else np.zeros(3, np.float32)


def recoloured(hands: np.ndarray, shown: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """The arm's light scaled to the mean `colour` (3,): its folds, pattern and shading stay."""
    scale = colour / np.maximum(mean_light(hands, shown, ARM), 1e-4)
    return np.concatenate([hands[..., :3] * np.where((shown == ARM)[..., None], scale, 1), hands[..., 3:]], -1).astype(
        np.float32
    )


def plain(hands: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """The arm in its mean colour, shaded as its luminance is on average over a few pixels: no pattern, no folds."""
    out, colour = hands.copy(), mean_light(hands, shown, ARM)
    for view, arm in zip(out, shown == ARM):
        weight = cv2.GaussianBlur(arm.astype(np.float32), (0, 0), SMOOTH) + 1e-6
        shade = cv2.GaussianBlur(view[..., :3] @ LUMINANCE.astype(np.float32) * arm, (0, 0), SMOOTH) / weight
        view[arm, :3] = shade[arm, None] * colour / max(float(colour @ LUMINANCE), 1e-4)
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


def skin_like(background: Views) -> float:
    """Share of pixels of a colour that skin has in some light: Lab hues of 25 to 80 degrees, chroma of 8 to 45."""
    lab = [cv2.cvtColor(linear_to_srgb8(view).astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for view in background]
    a, b = np.moveaxis(np.stack(lab)[..., 1:], -1, 0)
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    return float(((hue > 25) & (hue < 80) & (chroma > 8) & (chroma < 45)).mean())


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
                like = [skin_like(stage[kind].astype(np.float32)) for kind in KINDS]
                same = {name: stage[name] for name in ("subject", "ita", "arm", "kind", "toward")} | {"skin_like": like}
                with atomic_file(out) as file:
                    np.savez(file, pictures=np.stack(pictures), near=np.array(near), conditions=conditions(), **same)
            progress.add(1)
