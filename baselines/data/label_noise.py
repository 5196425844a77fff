"""Labels as a detector of hands would give them: the true ones with errors that follow from what is hidden.

Lengths in px are of a crop of CROP px about the hand, MARGIN times as long as the box of its joints. A visible joint is
off by `visible`, a hidden one by far more and with heavy tails (Student's t), and joints of neighbouring fingers are
taken for each other, the more so the more of them is hidden. Part of every error is the same for all views, as the
views of one hand mislead a detector alike. The confidence follows from the causes, not from the error itself, so it
informs without being an oracle: a swapped finger looks nearly as sure as another. docs/pseudo_labels.md says what the
numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataset_tools.progress import Progress

from .source import Source, require

CROP, MARGIN = 224.0, 1.3
NEEDED = ("joints_cam", "joints_2d", "joint_visible", "K", "world_to_cam")
JOINTS = np.arange(21)
AT_A_TIME = 256  # samples
FINGER, LEVEL = (JOINTS - 1) // 4, (JOINTS - 1) % 4  # the wrist is of finger -1


@dataclass(frozen=True)
class Noise:
    """How a detector errs; standard deviations are of each coordinate."""

    visible: float = 3.0  # px, of a joint that is seen
    hidden: float = 8.0  # px, scale of Student's t of one that is not
    tail: float = 3.0  # its degrees of freedom
    shared: float = 2.0  # mm, in space: the part of the error that all views have in common
    view: float = 0.25  # spread of the logarithm of a view's errors, as of blur or an odd angle
    swap: float = 0.01  # probability that a pair of neighbouring fingers is swapped in a view ...
    swap_hidden: float = 0.10  # ... and what is added if all of them is hidden
    reach: float = 112.0  # px, that no joint is off by more than


@dataclass(frozen=True)
class Truth:
    """Exact labels of n samples of V views; cameras and pixels are those of the stored pictures (H, W)."""

    joints_cam: np.ndarray  # (n, V, 21, 3) m
    joints_2d: np.ndarray  # (n, V, 21, 2) px
    joint_visible: np.ndarray  # (n, V, 21) bool
    K: np.ndarray  # (n, V, 3, 3) px
    world_to_cam: np.ndarray  # (n, V, 4, 4) m
    image_size: tuple[int, int]


@dataclass(frozen=True)
class Draws:
    """Chance, all of it, before it is scaled; a row a sample."""

    shared: np.ndarray  # (n, 21, 3) normal
    view: np.ndarray  # (n, V, 1) normal
    place: np.ndarray  # (n, V, 21, 2) normal
    tail: np.ndarray  # (n, V, 21) chi-squared
    pair: np.ndarray  # (n, V) uniform: which fingers are swapped, if any
    level: np.ndarray  # (n, V) 1 to 3: from which joint on, outwards
    doubt: np.ndarray  # (n, V, 21) normal


def draw(seed: int, numbers: Sequence[int], views: int, tail: float) -> Draws:
    """What is drawn for samples of those numbers (n,): of each the same whatever else is drawn, in whatever order."""
    parts = [_drawn(np.random.default_rng([seed, int(number)]), views, tail) for number in numbers]
    return Draws(*map(np.stack, zip(*parts)))


def _drawn(rng: np.random.Generator, views: int, tail: float) -> tuple[np.ndarray, ...]:
    each = (views, len(JOINTS))
    return (
        rng.standard_normal((len(JOINTS), 3)),
        rng.standard_normal((views, 1)),
        rng.standard_normal((*each, 2)),
        rng.chisquare(tail, each),
        rng.random(views),
        rng.integers(1, 4, views),
        rng.standard_normal(each),
    )


def noisy(truth: Truth, draws: Draws, noise: Noise = Noise()) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n, V, 21, 2) float32 px of the stored pictures, and their confidence (n, V, 21) float32, 0 to 1."""
    seen = truth.joint_visible & _inside(truth)
    sigma = spread(seen, draws, noise)
    offset = sigma[..., None] * draws.place + shared_offset(truth, draws, noise)
    length = np.linalg.norm(offset, axis=-1, keepdims=True)
    offset *= np.minimum(1, noise.reach / np.maximum(length, 1e-9))
    places = truth.joints_2d + offset * scale(truth.joints_2d)
    taken = swapped(seen, draws, noise)
    sure = confidence(np.take_along_axis(sigma, taken, -1), taken != JOINTS, draws, noise)
    return np.take_along_axis(places, taken[..., None], -2).astype(np.float32), sure.astype(np.float32)


def scale(joints_2d: np.ndarray) -> np.ndarray:
    """(n, V, 1, 1) px of the stored picture in a px of the crop about joints (n, V, 21, 2)."""
    sides = np.ptp(joints_2d, axis=-2).max(-1)
    return MARGIN * sides[..., None, None] / CROP


def spread(seen: np.ndarray, draws: Draws, noise: Noise) -> np.ndarray:
    """(n, V, 21) px of the crop: each joint's own standard deviation, of whether it is seen (n, V, 21).

    Student's t is a normal of which the variance is drawn: tail / chi-squared.
    """
    hidden = noise.hidden * np.sqrt(noise.tail / draws.tail)
    return np.where(seen, noise.visible, hidden) * np.exp(noise.view * draws.view)


def shared_offset(truth: Truth, draws: Draws, noise: Noise) -> np.ndarray:
    """(n, V, 21, 2) px of the crop: how an offset in space that all views have in common shows in each."""
    turns = truth.world_to_cam[..., :3, :3]
    moved = truth.joints_cam + noise.shared / 1000 * draws.shared[:, None] @ np.swapaxes(turns, -1, -2)
    pixels = (moved / moved[..., 2:] @ np.swapaxes(truth.K, -1, -2))[..., :2]
    return (pixels - truth.joints_2d) / scale(truth.joints_2d)


def swapped(seen: np.ndarray, draws: Draws, noise: Noise) -> np.ndarray:
    """(n, V, 21) int64: the joint that each label is really of; seen (n, V, 21). A view has one swap at most."""
    hidden = 1 - seen[..., 1:].reshape(*seen.shape[:-1], 5, 4).mean(-1)
    chance = noise.swap + noise.swap_hidden * (hidden[..., :-1] + hidden[..., 1:]) / 2  # (n, V, 4)
    pair = (draws.pair[..., None] >= np.cumsum(chance, -1)).sum(-1)[..., None]  # (n, V, 1); 4 is none
    outer = (draws.level[..., None] <= LEVEL) & (pair < 4)
    return JOINTS + 4 * (outer & (pair == FINGER)) - 4 * (outer & (pair + 1 == FINGER))


def confidence(sigma: np.ndarray, mistaken: np.ndarray, draws: Draws, noise: Noise) -> np.ndarray:
    """(n, V, 21): 0.82 for a joint as `noise.visible` as usual, 0.45 for a hidden one; sigma (n, V, 21) px.

    mistaken (n, V, 21) bool: it is another finger's, which is seen in few of them.
    """
    logit = 1.5 - 1.5 * np.log(sigma / noise.visible) - 0.5 * mistaken + 0.5 * draws.doubt
    return 1 / (1 + np.exp(-logit))


def noise_labels(source: Source, seed: int = 0, noise: Noise = Noise()) -> tuple[np.ndarray, np.ndarray]:
    """`noisy`, (n, V, 21, 2) and (n, V, 21), of a source; InputError for one without exact labels."""
    require(source, NEEDED, "the noise model")
    parts = []
    with Progress("label", source.samples, "sample") as progress:
        for start in range(0, source.samples, AT_A_TIME):
            rows = range(start, min(start + AT_A_TIME, source.samples))
            drawn = draw(seed, source.numbers[start:][: len(rows)], source.views, noise.tail)
            parts.append(noisy(read_truth(source, rows), drawn, noise))
            progress.add(len(rows))
    joints, sure = map(np.concatenate, zip(*parts))
    return joints, sure


def read_truth(source: Source, rows: Sequence[int]) -> Truth:
    """The exact labels of those rows of a source; pictures are not read if it was opened with NEEDED alone."""
    read = [source.read(row) for row in rows]
    return Truth(*(np.stack([one[name] for one in read]) for name in NEEDED), source.image_size)


def _inside(truth: Truth) -> np.ndarray:
    """(n, V, 21) bool: in the picture."""
    height, width = truth.image_size
    return ((truth.joints_2d >= 0) & (truth.joints_2d < (width, height))).all(-1)
