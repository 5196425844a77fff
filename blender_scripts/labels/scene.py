"""What is labelled and what hides it: meshes and cameras, checked once for all views."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rigging.errors import InputError
from rigging.geometry.distortion import Lens, lenses_of
from rigging.geometry.mesh import vertex_normals

_PARTS = 256  # a part is a uint8; 0 is the background
_RIGID = 1e-5  # how far a rotation may be from orthonormal


@dataclass(frozen=True)
class Occluder:
    """A mesh that hides others and has no labels itself; world, metres."""

    vertices: np.ndarray  # (O, 3)
    faces: np.ndarray  # (P, 3)
    previous: np.ndarray | None = None  # (O, 3) where it is at t-1 and t+1; None: it stands still
    following: np.ndarray | None = None


@dataclass(frozen=True)
class LabelScene:
    """A mesh and its occluders as one: N vertices and M faces, the mesh's own N0 and M0 before the occluders'."""

    vertices: np.ndarray  # (N, 3) world, metres
    neighbours: dict[str, np.ndarray | None]  # "flow_backward", "flow_forward": (N, 3) at t-1, t+1
    faces: np.ndarray  # (M, 3) int32
    face_part: np.ndarray  # (M,) uint8, 0 of occluders
    normals: np.ndarray  # (N0, 3) world
    joints: np.ndarray  # (J, 3) world, metres
    adjoining: np.ndarray | None  # (J, 256) bool: parts that do not hide a joint; None: every part does
    masked: np.ndarray  # (256,) bool: parts that belong to the mask

    @property
    def occluded(self) -> bool:
        """Whether there are occluders."""
        return len(self.face_part) > 0 and self.face_part[-1] == 0


def make_scene(
    vertices: np.ndarray, faces: np.ndarray, face_part: np.ndarray, joints: np.ndarray, *,
    previous: np.ndarray | None, following: np.ndarray | None, normals: np.ndarray | None,
    joint_parts: Sequence[Iterable[int]] | None, occluders: Sequence[Occluder], unmasked: Collection[int],
) -> LabelScene:  # fmt: skip
    """See `views.label_views` for the arguments: vertices (V, 3), faces (F, 3), face_part (F,), joints (J, 3), ...

    InputError names what does not fit.
    """
    vertices = _points("vertices", vertices)
    moved = {"previous": previous, "following": following}
    moved = {name: _points_or_none(name, points, len(vertices)) for name, points in moved.items()}
    faces, parts = _faces("faces", faces, len(vertices)), _parts("face_part", face_part)
    if len(parts) != len(faces):
        raise InputError(f"face_part has {len(parts)} entries for {len(faces)} faces; allowed is one for each")
    joints = _points("joints", joints)
    normals = vertex_normals(vertices, faces) if normals is None else _points("normals", normals, len(vertices))
    masked = np.arange(_PARTS) > 0
    masked[_parts("unmasked", list(unmasked))] = False
    bodies = [_checked_occluder(f"occluders[{index}]", item) for index, item in enumerate(occluders)]
    return LabelScene(
        vertices=np.concatenate([vertices, *(body.vertices for body in bodies)]),
        neighbours={
            "flow_backward": _joined(moved["previous"], [body.previous for body in bodies]),
            "flow_forward": _joined(moved["following"], [body.following for body in bodies]),
        },
        faces=_joined_faces(faces, len(vertices), bodies),
        face_part=np.concatenate([parts, *(np.zeros(len(body.faces), np.uint8) for body in bodies)]),
        normals=normals,
        joints=joints,
        adjoining=None if joint_parts is None else _adjoining(joint_parts, len(joints)),
        masked=masked,
    )


def check_cameras(K: np.ndarray, world_to_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """K (V, 3, 3) pixels and world_to_cam (V, 4, 4) as float64. InputError if they are not those of V cameras."""
    K, world_to_cam = _numbers("K", K, (3, 3)), _numbers("world_to_cam", world_to_cam, (4, 4))
    if len(K) != len(world_to_cam):
        raise InputError(f"there are {len(K)} K and {len(world_to_cam)} world_to_cam; allowed is one for each view")
    focal, fixed = K[:, [0, 1], [0, 1]], K[:, [1, 2, 2, 2], [0, 0, 1, 2]]
    if (focal <= 0).any() or (fixed != (0, 0, 0, 1)).any():
        view = int(((focal <= 0).any(1) | (fixed != (0, 0, 0, 1)).any(1)).argmax())
        raise InputError(f"K of view {view} is {K[view].tolist()}; allowed is [[fx, s, cx], [0, fy, cy], [0, 0, 1]]")
    turn = world_to_cam[:, :3, :3]
    off = np.abs(turn @ turn.transpose(0, 2, 1) - np.eye(3)).max((1, 2))
    rigid = (off < _RIGID) & (np.linalg.det(turn) > 0) & (world_to_cam[:, 3] == (0, 0, 0, 1)).all(1)
    if not rigid.all():
        view = int(rigid.argmin())
        raise InputError(f"world_to_cam of view {view} is no rigid motion: {world_to_cam[view].tolist()}")
    return K, world_to_cam


def check_lenses(distortion: np.ndarray | None, K: np.ndarray, size: tuple[int, int]) -> list[Lens | None]:
    """The lenses of V cameras K (V, 3, 3) px with coefficients (V, 5); None for one without distortion.

    InputError if they are not those of V cameras, or if one folds within a picture of `size` px.
    """
    if distortion is None:
        return [None] * len(K)
    distortion = _numbers("distortion", distortion, (5,))
    if len(distortion) != len(K):
        raise InputError(f"there are {len(K)} K and {len(distortion)} distortion; allowed is one for each view")
    return [lens if lens.coefficients.any() else None for lens in lenses_of(K, distortion, size)]


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) in pixels as plain numbers. InputError if they are not two whole numbers from 1."""
    if np.shape(size) != (2,) or any(int(side) != side or side < 1 for side in size):
        raise InputError(f"size is {size}; allowed is (width, height), whole numbers from 1")
    return int(size[0]), int(size[1])


def _checked_occluder(name: str, item: Occluder) -> Occluder:
    """With float64 vertices at all three times."""
    vertices = _points(f"{name}.vertices", item.vertices)
    faces = _faces(f"{name}.faces", item.faces, len(vertices))
    previous = _points_or_none(f"{name}.previous", item.previous, len(vertices))
    following = _points_or_none(f"{name}.following", item.following, len(vertices))
    return Occluder(
        vertices, faces, vertices if previous is None else previous, vertices if following is None else following
    )


def _joined(points: np.ndarray | None, others: list[np.ndarray]) -> np.ndarray | None:
    return None if points is None else np.concatenate([points, *others])


def _joined_faces(faces: np.ndarray, first: int, bodies: list[Occluder]) -> np.ndarray:
    joined = [faces]
    for body in bodies:
        joined.append(body.faces + np.int32(first))
        first += len(body.vertices)
    return np.concatenate(joined)


def _adjoining(joint_parts: Sequence[Iterable[int]], count: int) -> np.ndarray:
    if len(joint_parts) != count:
        raise InputError(f"joint_parts has {len(joint_parts)} entries for {count} joints; allowed is one for each")
    adjoining = np.zeros((count, _PARTS), bool)
    for joint, parts in enumerate(joint_parts):
        adjoining[joint, _parts(f"joint_parts[{joint}]", list(parts))] = True
    return adjoining


def _numbers(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Finite float64 of shape (any, *shape)."""
    array = np.ascontiguousarray(values, np.float64)
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        raise InputError(f"{name} has shape {array.shape}; allowed is ({', '.join(map(str, ('any', *shape)))})")
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(1)))
        raise InputError(f"{name}[{row}] is not finite: {array[row].tolist()}")
    return array


def _points(name: str, values: np.ndarray, count: int | None = None) -> np.ndarray:
    points = _numbers(name, values, (3,))
    if count is not None and len(points) != count:
        raise InputError(f"{name} has {len(points)} points; allowed are as many as the mesh has vertices, {count}")
    return points


def _points_or_none(name: str, values: np.ndarray | None, count: int) -> np.ndarray | None:
    return None if values is None else _points(name, values, count)


def _whole(name: str, values: np.ndarray) -> np.ndarray:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise InputError(f"{name} holds {array.dtype} values; allowed are whole numbers")
    return array


def _faces(name: str, values: np.ndarray, vertices: int) -> np.ndarray:
    """(M, 3) int32 without gaps in memory."""
    faces = _whole(name, values)
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise InputError(f"{name} has shape {faces.shape}; allowed is (any, 3): triangles")
    if len(faces) and not (faces.min() >= 0 and faces.max() < vertices):
        raise InputError(f"{name} names vertices {faces.min()} to {faces.max()}; allowed are 0 to {vertices - 1}")
    return np.ascontiguousarray(faces, np.int32)


def _parts(name: str, values: np.ndarray | list[int]) -> np.ndarray:
    """(M,) uint8, none of them the background."""
    parts = _whole(name, values)
    if parts.ndim != 1:
        raise InputError(f"{name} has shape {parts.shape}; allowed is one number for each")
    if len(parts) and not (parts.min() > 0 and parts.max() < _PARTS):
        raise InputError(f"{name} has values from {parts.min()} to {parts.max()}; allowed are 1 to {_PARTS - 1}")
    return parts.astype(np.uint8)
