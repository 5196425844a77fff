"""Rigs: a mesh that 21 bones move. That of a subject, or anybody's own from an `.npz` (format: docs/posing.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import InputError, input_errors
from ..fingers.hinges import hinge_axes
from ..hand.asset import HandAsset, read_arrays
from ..hand.shape import RestHand, Subject, rest_hand
from ..hand.skinning import dense_weights
from ..joints import JOINT_NAMES
from ..poses.gate.checks import chirality
from ..spin.posed import MIRROR, mirror_faces

KEYS = {"joints": (21, 3), "vertices": ("V", 3), "weights": ("V", 21)}  # what a rig's file holds ...
OPTIONAL = {"faces": ("F", 3), "dorsal": (5, 3)}  # ... and what it may
PALM_LENGTHS = (0.02, 0.3)  # m from the wrist to the middle MCP: a doll's to a giant's, but no hand in mm or cm
LEFT = -0.01  # m of evidence (`poses.checks.chirality`) beyond which a rest pose is that of a left hand


@dataclass(frozen=True)
class Rig:
    """A right hand at rest with its skin weights; metres, in right-handed axes of its own.

    K is the most bones that move one vertex; unused places hold weight 0.
    """

    vertices: np.ndarray  # (V, 3) float64
    joints: np.ndarray  # (21, 3) float64, in the order of joints.JOINT_NAMES
    weight_bones: np.ndarray  # (V, K) uint8, bone b ends in joint b
    weight_values: np.ndarray  # (V, K) float64, rows sum to 1
    faces: np.ndarray | None = None  # (F, 3) int32, counter-clockwise from outside
    dorsal: np.ndarray | None = None  # (5, 3) unit back of each finger, thumb first; mode "ik" alone needs it

    @property
    def weights(self) -> np.ndarray:
        """(V, 21) weights of all bones."""
        return dense_weights(self)

    def mirror(self) -> Rig:
        """The other hand: x -> -x, faces wound the other way round."""
        return replace(
            self,
            vertices=self.vertices * MIRROR,
            joints=self.joints * MIRROR,
            faces=None if self.faces is None else mirror_faces(self.faces),
            dorsal=None if self.dorsal is None else self.dorsal * MIRROR,
        )


def subject_rig(asset: HandAsset, subject: Subject | None = None) -> Rig:
    """The rig of a subject, or of the asset's mean hand, in the hand frame. Raises ValueError as `rest_hand` does."""
    rest = RestHand(asset.template, asset.joints) if subject is None else rest_hand(asset, subject)
    _, dorsal = hinge_axes(asset)
    return Rig(rest.vertices, rest.joints, asset.weight_bones, asset.weight_values, asset.faces, dorsal)


def load_rig(path: Path | str) -> Rig:
    """Read a rig of one's own from an `.npz` with `joints`, `vertices`, `weights`, and maybe `faces`, `dorsal`.

    Raises FileNotFoundError, or InputError in one line that names the file and all keys that are missing, or what is
    wrong with one.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such rig")
    arrays = read_arrays(path)
    missing = [f"{key} {_shape_text(shape)}" for key, shape in KEYS.items() if key not in arrays]
    if missing:
        raise InputError(f"{path}: the rig has no {', no '.join(missing)}; it holds {', '.join(arrays) or 'nothing'}")
    with input_errors(str(path)):
        return make_rig(**{key: arrays[key] for key in (*KEYS, *OPTIONAL) if key in arrays})


def make_rig(
    joints: np.ndarray,
    vertices: np.ndarray,
    weights: np.ndarray,
    faces: np.ndarray | None = None,
    dorsal: np.ndarray | None = None,
) -> Rig:
    """A rig of joints (21, 3) m, vertices (V, 3) m, weights (V, 21), faces (F, 3) and dorsal (5, 3), all at rest.

    Weights are brought to sums of 1. Raises ValueError for other shapes, numbers that are not finite, a size that is
    no hand's in metres, a vertex without weight, or a face of vertices that are not there.
    """
    given = {"joints": joints, "vertices": vertices, "weights": weights, "faces": faces, "dorsal": dorsal}
    given = {key: np.asarray(value) for key, value in given.items() if value is not None}
    _check_arrays(given)
    joints, vertices, weights = (given[key].astype(np.float64) for key in KEYS)
    _check_hand(joints)
    bones, values = _sparse(weights)
    if faces is not None:
        _check_faces(given["faces"], len(vertices))
        faces = given["faces"].astype(np.int32)
    if dorsal is not None:
        dorsal = _unit_rows(given["dorsal"].astype(np.float64))
    return Rig(vertices, joints, bones, values, faces, dorsal)


def _shape_text(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def _check_arrays(given: dict[str, np.ndarray]) -> None:
    """Shapes and kinds of numbers."""
    lengths = {"V": len(given["vertices"]) if given["vertices"].ndim else 0}
    for key, array in given.items():
        wanted = tuple(lengths.get(size, size) for size in (KEYS | OPTIONAL)[key])
        fits = array.ndim == len(wanted) and all(w in (s, "F") for s, w in zip(array.shape, wanted))
        if not fits or not array.size:
            raise ValueError(f"{key} has shape {array.shape}, allowed is {_shape_text(wanted)}")
        kinds = "iu" if key == "faces" else "iuf"
        if array.dtype.kind not in kinds:
            raise ValueError(f"{key} is {array.dtype}, allowed are {'whole ' if key == 'faces' else ''}numbers")
        if not np.isfinite(array).all():
            raise ValueError(f"{key} has values that are not finite")


def _check_hand(joints: np.ndarray) -> None:
    """Size and side."""
    length = float(np.linalg.norm(joints[9] - joints[0]))
    if not PALM_LENGTHS[0] < length < PALM_LENGTHS[1]:
        raise ValueError(
            f"joints: {length:.4g} from {JOINT_NAMES[0]} to {JOINT_NAMES[9]}, allowed is {PALM_LENGTHS[0]} to "
            f"{PALM_LENGTHS[1]} (metres; divide joints and vertices by 1000 if they are millimetres)"
        )
    if chirality(joints) < LEFT:
        raise ValueError(
            "joints: those of a left hand, allowed is a right one (x -> -x, and faces the other way round)"
        )


def _check_faces(faces: np.ndarray, count: int) -> None:
    if faces.min() < 0 or faces.max() >= count:
        raise ValueError(f"faces refer to vertices {faces.min()} to {faces.max()}, allowed are 0 to {count - 1}")


def _sparse(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bones and weights (V, K) of dense weights (V, 21), the largest first; unused places are bone 0 with weight 0."""
    sums = weights.sum(axis=1, keepdims=True)
    if (weights < 0).any() or not (sums > 0).all():
        vertex = int(np.argmax((weights < 0).any(axis=1) | (sums[:, 0] <= 0)))
        raise ValueError(f"weights of vertex {vertex} are negative or all zero, allowed are shares of its bones")
    count = int((weights > 0).sum(axis=1).max())
    bones = np.argsort(-weights, axis=1, kind="stable")[:, :count]
    values = np.take_along_axis(weights, bones, axis=1) / sums
    return np.where(values > 0, bones, 0).astype(np.uint8), values


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise ValueError("dorsal has a vector of length zero, allowed are the directions of the backs of the fingers")
    return vectors / lengths
