"""Sample hands of many people by blending MakeHuman's targets, and reduce them to a linear shape space.

A macro target such as `universal-male-old-maxmuscle-minweight` applies with the product of its factors' weights, as
in MakeHuman (targets/macrodetails/macro.json says where each factor is 1; weights fall linearly to the next one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from ..joints import JOINT_NAMES

SAMPLES = 768
SEED = 2651
COMPONENTS = 12
NAMED = ("age", "gender", "muscle", "finger_length", "finger_girth", "palm_width")
PALM_WIDTH_SD = 0.04  # breadth to length of hands varies by about 4 %: approximated from adult surveys
RIGID = (0, 5, 9, 13, 17)  # wrist and knuckles: hands are aligned on these

GENDER = {"female": 0.0, "male": 1.0}
AGE = {"child": 0.1875, "young": 0.5, "old": 1.0}  # 10, 25 and 90 years
MUSCLE = {"minmuscle": 0.0, "averagemuscle": 0.5, "maxmuscle": 1.0}
WEIGHT = {"minweight": 0.0, "averageweight": 0.5, "maxweight": 1.0}
PROPORTIONS = {"uncommonproportions": 0.0, "": 0.5, "idealproportions": 1.0}
RACES = ("african", "asian", "caucasian")
UNIFORM = {
    "age": (0.1875, 1.0),
    "gender": (0.0, 1.0),
    "muscle": (0.0, 1.0),
    "weight": (0.2, 0.8),  # beyond, wrists become thinner or thicker than people's
    "proportions": (0.0, 1.0),
}
# Two-sided local targets and the standard deviation of their coefficient (1 = the whole target)
LOCAL = {
    "finger_length": ("hands/r-hand-fingers-length", 0.14),
    "finger_girth": ("hands/r-hand-fingers-diameter", 0.27),
    "wrist_girth": ("hands/measure-wrist-circ", 0.15),
    "forearm_fat": ("arms/r-lowerarm-fat", 0.12),
    "forearm_muscle": ("arms/r-lowerarm-muscle", 0.12),
    "forearm_width": ("arms/r-lowerarm-scale-horiz", 0.1),
    "forearm_depth": ("arms/r-lowerarm-scale-depth", 0.1),
}
# MakeHuman's macro targets hardly touch the hand beyond its size, so who a person is also moves the local targets:
# their coefficient per standard deviation of the factor. Our choice, but for breadth: men's hands are some percent
# broader for their length than women's, which is added to the gender direction in standard deviations of palm width.
COUPLING = {
    "age": {"finger_girth": -0.06, "finger_length": 0.03, "forearm_fat": -0.06},
    "gender": {"finger_girth": 0.10, "wrist_girth": 0.10, "forearm_muscle": 0.06},
    "muscle": {"finger_girth": 0.09, "wrist_girth": 0.10, "forearm_muscle": 0.20},
}
GENDER_PALM_WIDTH = 0.6


def sample_phenotypes(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """name -> (count,) or, for `race`, (count, 3) parameters in MakeHuman's units."""
    people = {name: rng.uniform(*bounds, count) for name, bounds in UNIFORM.items()}
    people["race"] = rng.dirichlet(np.ones(len(RACES)), count)
    for name, (_, deviation) in LOCAL.items():
        people[name] = np.clip(rng.normal(0, deviation, count), -1, 1)
    return people


def factor_weights(value: np.ndarray, anchors: dict[str, float]) -> dict[str, np.ndarray]:
    """Linear interpolation between anchors: name -> (count,) weight; weights sum to 1."""
    places = np.array(list(anchors.values()))
    return {name: np.interp(value, places, np.eye(len(places))[k]) for k, name in enumerate(anchors)}


def weighted_targets(people: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Every target that shapes the hand with its coefficient (count,) for each person."""
    gender = factor_weights(people["gender"], GENDER)
    age = factor_weights(people["age"], AGE)
    muscle = factor_weights(people["muscle"], MUSCLE)
    weight = factor_weights(people["weight"], WEIGHT)
    proportions = factor_weights(people["proportions"], PROPORTIONS)
    for (k, race), g, a in product(enumerate(RACES), gender, age):
        yield f"macrodetails/{race}-{g}-{a}", people["race"][:, k] * gender[g] * age[a]
    for g, a, m, w in product(gender, age, muscle, weight):
        share = gender[g] * age[a] * muscle[m] * weight[w]
        yield f"macrodetails/universal-{g}-{a}-{m}-{w}", share
        for p in filter(None, proportions):
            yield f"macrodetails/proportions/{g}-{a}-{m}-{w}-{p}", share * proportions[p]
    for name, (target, _) in LOCAL.items():
        value = np.clip(people[name] + coupled(people, name), -1, 1)
        yield f"{target}-incr", np.maximum(value, 0)
        yield f"{target}-decr", np.maximum(-value, 0)


def coupled(people: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(count,) what age, gender and muscle add to the coefficient of a local target."""
    scores = {factor: (people[factor] - np.mean(UNIFORM[factor])) / np.ptp(UNIFORM[factor]) for factor in COUPLING}
    return sum(COUPLING[factor].get(name, 0.0) * np.sqrt(12) * score for factor, score in scores.items())


def blend(people: dict[str, np.ndarray], start: np.ndarray, read_target: Callable[[str], np.ndarray]) -> np.ndarray:
    """(count, n, 3) vertices of each person; read_target returns (n, 3) offsets from `start` (n, 3)."""
    offsets, shares = [], []
    for name, share in weighted_targets(people):
        offsets.append(read_target(name).ravel())
        shares.append(share)
    return start + (np.array(shares).T @ np.array(offsets)).reshape(-1, *start.shape)


def align(points: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wrist to the origin, wrist and knuckles turned onto those of the first hand, palm length 1.

    points: (S, n, 3); joints: (S, 21, 3) of the same hands. Palm length is wrist to middle knuckle.
    """
    points, joints = points - joints[:, :1], joints - joints[:, :1]
    size = np.linalg.norm(joints[:, JOINT_NAMES.index("middle_mcp")], axis=-1)[:, None, None]
    points, joints = points / size, joints / size
    rigid = list(RIGID)
    u, _, vt = np.linalg.svd(np.einsum("sji,jk->sik", joints[:, rigid], joints[0, rigid]))
    u[..., -1] *= np.sign(np.linalg.det(u @ vt))[:, None]
    turn = u @ vt
    return points @ turn, joints @ turn


def linear_space(hands: np.ndarray, people: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Mean (n, 3), components (K, n, 3) per standard deviation, and the components' names.

    Named directions are the regression of the hands (S, n, 3) on their parameters; the principal components span
    what the regression leaves, so that the two do not say the same thing twice.
    """
    flat = hands.reshape(len(hands), -1)
    named = [name for name in NAMED if name in people]
    values = np.stack([people[name] for name in named], axis=1)
    scores = (values - values.mean(0)) / values.std(0)
    mean = flat.mean(0)
    directions, *_ = np.linalg.lstsq(scores, flat - mean, rcond=None)
    rest = flat - mean - scores @ directions
    variance, vectors = np.linalg.eigh(rest @ rest.T / len(rest))
    keep = np.argsort(-variance)[:COMPONENTS]
    principal = vectors[:, keep].T @ rest / np.sqrt(len(rest))
    principal *= np.sign(principal[np.arange(COMPONENTS), np.abs(principal).argmax(1)])[:, None]
    names = [f"pca_{k:02d}" for k in range(COMPONENTS)] + named
    components = np.concatenate([principal, directions]).reshape(-1, *hands.shape[1:])
    return mean.reshape(hands.shape[1:]), components, names


def palm_width_direction(points: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, 3) displacement of points (n, 3) that widens the palm by one standard deviation.

    Palm and carpus stretch along x (across the palm), growing from nothing at the wrist to all of it at the
    knuckles; fingers move with their knuckles without becoming thicker; weights: (n, 21) skin weights.
    """
    ramp = np.clip(points[:, 1] / (0.6 * joints[RIGID[2], 1]), 0, 1)
    stretch = ramp * ramp * (3 - 2 * ramp) * points[:, 0]
    carried = np.zeros(21)
    for bone in range(1, 21):
        carried[bone] = joints[4 * ((bone - 1) // 4) + 1, 0]
    free = np.array([bone == 0 or bone % 4 == 1 for bone in range(21)])
    shift = weights[:, free].sum(1) * stretch + weights[:, ~free] @ carried[~free]
    return PALM_WIDTH_SD * shift[:, None] * np.array([1.0, 0, 0])
