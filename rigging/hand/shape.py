"""Subjects: who the hand belongs to, and the hand at rest that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from ..geometry.mesh import volume
from ..joints import JOINT_PARENTS
from .asset import HandAsset, Weighted
from .bones import BONE_STARTS, bone_vectors

# Hand length, wrist crease to tip of the middle finger: mean and standard deviation in metres. Adults: rounded after
# Greiner, Hand Anthropometry of U.S. Army Personnel, Natick TR-92/011, 1991. Children: a growth curve approximated
# after Snyder et al., Anthropometry of Infants, Children, and Youths, UM-HSRI-77-17, 1977.
FEMALE_LENGTH = (0.1805, 0.0097)
MALE_LENGTH = (0.1940, 0.0098)
CHILD_AGES = (6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0)
GIRL_LENGTHS = (0.130, 0.141, 0.152, 0.164, 0.173, 0.177, 0.1805)
BOY_LENGTHS = (0.131, 0.142, 0.152, 0.164, 0.179, 0.190, 0.1940)
CHILD_DEVIATION = 0.055  # of the mean

CHILD_FRACTION = 0.15
ADULT_AGES = (18.0, 85.0)
ITA_RANGE = (-60.0, 65.0)  # degrees: from the darkest to the lightest human skin
MAX_DEVIATIONS = 2.0  # coefficients are drawn within so many standard deviations, each by itself
MIDDLE_LENGTH = 0.187  # m, of women's and men's hands

# MakeHuman's age parameter and the years it stands for; coefficients are standard deviations of a uniform draw
AGE_YEARS, AGE_PARAMETERS = (10.0, 25.0, 90.0), (0.1875, 0.5, 1.0)
LENGTH_CHAIN = (0, 9, 10, 11, 12)  # joints along which hand length is measured


@dataclass(frozen=True)
class Subject:
    """One person's hand: shape, size and what the skin depends on."""

    coefficients: np.ndarray  # (K,) of the shape space, in standard deviations
    hand_length: float  # m, wrist to tip of the middle finger along the bones
    age: float  # years
    gender: float  # 0 female to 1 male
    ita: float  # degrees, individual typology angle: skin tone from dark (< -30) to very light (> 55)
    skin_seed: int  # everything else about the skin is drawn from it


@dataclass(frozen=True)
class RestHand:
    """A subject's hand at rest, in the hand frame of HandAsset."""

    vertices: np.ndarray  # (V, 3) float64, m
    joints: np.ndarray  # (21, 3) float64, m


def sample_subject(rng: np.random.Generator, asset: HandAsset, litres: tuple[float, float] | None = None) -> Subject:
    """Draw a subject: one in seven a child, women and men alike, skin tones uniform in ITA.

    One whose hand would not have `litres` (least, most), were it of MIDDLE_LENGTH, is drawn anew: coefficients that are
    likely each by itself may all be of a stout hand.
    """
    subject = _draw(rng, asset)
    while litres and not litres[0] < litres_of(asset, subject) < litres[1]:
        subject = _draw(rng, asset)
    return subject


def litres_of(asset: HandAsset, subject: Subject) -> float:
    """Volume in litres of a subject's hand, were it of MIDDLE_LENGTH."""
    return 1e3 * volume(rest_hand(asset, replace(subject, hand_length=MIDDLE_LENGTH)).vertices, asset.faces)


def _draw(rng: np.random.Generator, asset: HandAsset) -> Subject:
    child, male = rng.random() < CHILD_FRACTION, rng.random() < 0.5
    age = rng.uniform(CHILD_AGES[0], CHILD_AGES[-1]) if child else rng.uniform(*ADULT_AGES)
    gender = rng.uniform(0.65, 1.0) if male else rng.uniform(0.0, 0.35)
    coefficients = _truncated_normal(rng, len(asset.shape_names))
    named = {
        "age": uniform_score(np.interp(age, AGE_YEARS, AGE_PARAMETERS), AGE_PARAMETERS[0], AGE_PARAMETERS[-1]),
        "gender": uniform_score(gender, 0.0, 1.0),
    }
    for name, value in named.items():
        if name in asset.shape_names:
            coefficients[asset.shape_names.index(name)] = value
    mean, deviation = length_distribution(age, male)
    return Subject(
        coefficients=coefficients,
        hand_length=float(mean + deviation * _truncated_normal(rng, 1)[0]),
        age=float(age),
        gender=float(gender),
        ita=float(rng.uniform(*ITA_RANGE)),
        skin_seed=int(rng.integers(2**31)),
    )


def mean_subject(asset: HandAsset) -> Subject:
    """The mean adult: the asset's template in the mean of women's and men's hand lengths, of medium skin."""
    length = (FEMALE_LENGTH[0] + MALE_LENGTH[0]) / 2
    return Subject(np.zeros(len(asset.shape_names)), length, age=35.0, gender=0.5, ita=28.0, skin_seed=0)


def uniform_score(value: float, low: float, high: float) -> float:
    """The value in standard deviations of a uniform distribution from low to high."""
    return float((value - (low + high) / 2) / ((high - low) / np.sqrt(12)))


def length_distribution(age: float, male: bool) -> tuple[float, float]:
    """Mean and standard deviation (m) of hand length at an age in years."""
    if age >= CHILD_AGES[-1]:
        return MALE_LENGTH if male else FEMALE_LENGTH
    mean = float(np.interp(age, CHILD_AGES, BOY_LENGTHS if male else GIRL_LENGTHS))
    return mean, CHILD_DEVIATION * mean


def rest_hand(asset: HandAsset, subject: Subject) -> RestHand:
    """The subject's hand at rest: template plus shape directions, scaled to the subject's hand length.

    Raises ValueError where the coefficients do not fit the asset's shape space or the length is not plausible.
    """
    count = len(asset.shape_names)
    if subject.coefficients.shape != (count,):
        raise ValueError(f"got {subject.coefficients.shape} shape coefficients, the hand asset has ({count},)")
    if not 0.05 < subject.hand_length < 0.4:
        raise ValueError(f"hand length is {subject.hand_length} m, allowed is 0.05 to 0.4")
    vertices = asset.template + np.tensordot(subject.coefficients, asset.shape_vertices, 1)
    joints = asset.joints + np.tensordot(subject.coefficients, asset.shape_joints, 1)
    scale = subject.hand_length / chain_length(joints)
    return RestHand(scale * vertices, scale * joints)


def chain_length(joints: np.ndarray) -> float:
    """Length (m) of the bones from the wrist to the tip of the middle finger of joints (21, 3)."""
    return float(np.linalg.norm(np.diff(joints[list(LENGTH_CHAIN)], axis=0), axis=1).sum())


def stretch_rest(rest: RestHand, skin: Weighted, bone_lengths: np.ndarray) -> RestHand:
    """The rest hand with its bones stretched along themselves to bone_lengths (21,) m; the forearm stays (entry 0).

    Skin stretches along a bone but keeps its girth; where bones share a vertex their maps are blended.
    """
    lengths = np.asarray(bone_lengths, dtype=np.float64)
    if lengths.shape != (21,) or not (np.isfinite(lengths[1:]) & (lengths[1:] > 0)).all():
        raise ValueError(f"got bone lengths {lengths}, allowed are 21 positive numbers in metres")
    vectors = bone_vectors(rest.joints)
    old = np.linalg.norm(vectors[1:], axis=1)
    directions = np.concatenate([np.zeros((1, 3)), vectors[1:] / old[:, None]])
    ratio = np.concatenate([[1.0], lengths[1:] / old])
    joints = rest.joints.copy()
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            joints[joint] = joints[parent] + ratio[joint] * vectors[joint]
    vertices = np.zeros_like(rest.vertices)
    for column in range(skin.weight_bones.shape[1]):
        bone = skin.weight_bones[:, column]
        local = rest.vertices - rest.joints[BONE_STARTS[bone]]
        along = (local * directions[bone]).sum(1, keepdims=True) * directions[bone]
        moved = local + (ratio[bone, None] - 1) * along + joints[BONE_STARTS[bone]]
        vertices += skin.weight_values[:, column, None] * moved
    return RestHand(vertices, joints)


def fit_subject(
    asset: HandAsset, bone_lengths: np.ndarray, subject: Subject, tolerance: float = 0.03, limit: float = 2.5
) -> Subject:
    """The subject with shape and size changed as little as needed to have the given bone lengths (21,) m.

    Bones that are NaN, and the forearm (entry 0), are ignored. Least squares over coefficients and size: a bone off by
    `tolerance` costs as much as a coefficient one standard deviation away from the subject's; |coefficient| <= limit.
    """
    lengths = np.asarray(bone_lengths, dtype=np.float64)
    known = np.isfinite(lengths) & (np.arange(len(lengths)) > 0)
    if lengths.shape != (21,) or not known.any() or (lengths[known] <= 0).any():
        raise ValueError(f"got bone lengths {lengths}, allowed are 21 positive numbers in metres, NaN where unknown")
    target = np.log(lengths[known])
    start = np.clip(subject.coefficients, -limit, limit)

    def shaped(coefficients: np.ndarray) -> np.ndarray:
        return asset.joints + np.tensordot(coefficients, asset.shape_joints, 1)

    def residual(unknowns: np.ndarray) -> np.ndarray:
        found = np.log(np.linalg.norm(bone_vectors(shaped(unknowns[1:]))[known], axis=1))
        return np.concatenate([(found + unknowns[0] - target) / tolerance, unknowns[1:] - start])

    size = np.mean(target - np.log(np.linalg.norm(bone_vectors(shaped(start))[known], axis=1)))
    bounds = np.r_[-np.inf, np.full(len(start), -limit)], np.r_[np.inf, np.full(len(start), limit)]
    found = least_squares(residual, np.r_[size, np.clip(start, -limit + 1e-6, limit - 1e-6)], bounds=bounds).x
    length = float(np.exp(found[0])) * chain_length(shaped(found[1:]))
    return replace(subject, coefficients=found[1:], hand_length=length)


def _truncated_normal(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count,) standard normal numbers, redrawn until they lie within MAX_DEVIATIONS."""
    values = rng.normal(size=count)
    while (outside := np.abs(values) > MAX_DEVIATIONS).any():
        values[outside] = rng.normal(size=outside.sum())
    return values
