"""Build the hand asset from MakeHuman's data: cut, cap, subdivide, bisect to 2651 vertices, weigh, sample shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from ..joints import JOINT_NAMES, TIP_JOINTS
from . import labels, shape_space, uv
from .bisect import GridTriangles, bisect_to
from .catmull_clark import Subdivision, keep_girth, subdivide
from .makehuman import METRES_PER_UNIT, Source
from .topology import Patch, cut_hand
from .weights import bone_weights, strongest

VERTICES = 2651
LEVELS = 3
TEMPLATE_LENGTH = 0.187  # m, wrist to middle fingertip: between the means of women and men
FOREARM_DETAIL = 0.5  # edges of the forearm may be 1 / 0.5 times longer, those of the cap 1 / 0.3 times again
CAP_DETAIL = 0.3
SPREAD_DEGREES = (12.0, 9.0, -14.0, -22.0)  # index to little, about the axis out of the back
REGRESSED_FROM = 40  # nearest vertices that place a joint
TIP_INSET = 0.08  # share of the last phalanx: subdivision rounds the fingertips off, past MakeHuman's tips
JOINT_CUBES = ("joint-r-hand", *(f"joint-r-finger-{f}-{k}" for f in range(1, 6) for k in range(1, 5)))


@dataclass(frozen=True)
class Hands:
    """Many people's hands on the coarse mesh, aligned, unit palm length."""

    points: np.ndarray  # (S, 1709, 3)
    joints: np.ndarray  # (S, 21, 3)
    people: dict[str, np.ndarray]


def build_hand(source: Source) -> dict[str, np.ndarray]:
    """All arrays of the asset (docs/hand_asset.md)."""
    patch = cut_hand(source.base)
    return assemble(source, patch, sample_hands(source, patch))


def assemble(source: Source, patch: Patch, hands: Hands) -> dict[str, np.ndarray]:
    """The asset's arrays from the cut-out hand and the sampled people."""
    surface = subdivide(patch.quads, patch.from_body.shape[0], LEVELS, patch.loop)
    everything = np.concatenate([hands.points, hands.joints], axis=1)
    mean, components, names = shape_space.linear_space(everything, hands.people)
    frame = hand_frame(mean[-21:])
    mean, components = mean @ frame, components @ frame
    scale = TEMPLATE_LENGTH / chain_length(mean[-21:])
    points, joints = scale * mean[:-21], scale * mean[-21:]
    coarse_weights = bone_weights(source.weights(), patch.body_vertices, patch.quads[: patch.cap_start], points, joints)
    width = shape_space.palm_width_direction(np.vstack([points, joints]), joints, with_joints(coarse_weights))
    components, names = np.concatenate([scale * components, width[None]]), [*names, "palm_width"]
    components[names.index("gender")] += shape_space.GENDER_PALM_WIDTH * width

    triangles, used, faces = triangulate(surface, keep_girth(surface) @ patch.from_body @ points, joints, patch)
    fine = csr_matrix((keep_girth(surface) @ patch.from_body)[used])
    smooth = csr_matrix((surface.operator @ patch.from_body)[used])
    return {
        "shape_names": np.array(names),
        "shape_vertices": np.stack([fine @ component[:-21] for component in components]),
        "shape_joints": components[:, -21:],
        "cut_loop": start_loop(np.searchsorted(used, patch.loop), fine @ points),
        **rigged(source, patch, triangles, faces, fine @ points, joints, smooth @ coarse_weights),
    }


def rigged(
    source: Source,
    patch: Patch,
    triangles: GridTriangles,
    faces: np.ndarray,
    vertices: np.ndarray,
    joints: np.ndarray,
    weights: np.ndarray,
) -> dict[str, np.ndarray]:
    """Weights, labels and texture coordinates of the mean hand.

    faces (F, 3), vertices (V, 3) m, joints (21, 3) m, weights (V, 21).
    """
    cap = triangles.quad >= patch.cap_start
    nail = labels.nail_labels(triangles.quad, patch.body_quads)
    frames = labels.nail_frames(vertices, faces, nail, joints)
    bones, values = strongest(weights)
    dorsal = weights[faces].mean(1) @ back_of_bones(frames["nail_axes"][:, 2])
    return {
        "template": vertices,
        "joints": joints,
        "faces": faces,
        "weight_bones": bones,
        "weight_values": values,
        "uv": uv.atlas(spread_fingers(vertices, joints, weights), faces, dorsal, cap, triangles.quad),
        "uv_makehuman": makehuman_uv(source, patch, triangles),
        "face_part": labels.part_labels(faces, weights),
        "face_nail": nail,
        "face_cap": cap,
        **frames,
    }


def sample_hands(source: Source, patch: Patch) -> Hands:
    """Blend MakeHuman's targets for many random people and align the hands; the first one is the plain base mesh."""
    used = patch.body_vertices
    people = shape_space.sample_phenotypes(np.random.default_rng(shape_space.SEED), shape_space.SAMPLES)
    start = source.base.vertices[used]
    bodies = shape_space.blend(people, start, lambda name: source.target(name)[used]) * METRES_PER_UNIT
    joints = joint_regressor(source, start) @ bodies
    return Hands(*shape_space.align(bodies, joints), people)


def joint_regressor(source: Source, points: np.ndarray) -> np.ndarray:
    """(21, 1709) weights that place the joints within the skin around them, as the base mesh has them.

    MakeHuman marks joints by helper cubes, but its macro targets move the cubes by some 5 mm relative to the skin.
    The weights of each joint are the most even ones over its nearest vertices that give its cube's centre exactly.
    """
    regressor = np.zeros((len(JOINT_CUBES), len(points)))
    for row, name in zip(regressor, JOINT_CUBES):
        joint = source.base.vertices[source.base.joint_cubes[name]].mean(0)
        near = np.argsort(np.linalg.norm(points - joint, axis=1), kind="stable")[:REGRESSED_FROM]
        constraints = np.column_stack([points[near] - joint, np.ones(REGRESSED_FROM)]).T  # (4, n)
        even = np.full(REGRESSED_FROM, 1 / REGRESSED_FROM)
        row[near] = even + np.linalg.pinv(constraints) @ (np.array([0, 0, 0, 1.0]) - constraints @ even)
    tips = np.array(TIP_JOINTS)
    regressor[tips] += TIP_INSET * (regressor[tips - 1] - regressor[tips])
    return regressor


def hand_frame(joints: np.ndarray) -> np.ndarray:
    """(3, 3) columns are the axes of the hand: across to the little finger, to the middle knuckle, out of the back."""
    index, middle, little = (joints[JOINT_NAMES.index(f"{name}_mcp")] for name in ("index", "middle", "little"))
    y = middle / np.linalg.norm(middle)
    x = little - index
    x = x - x @ y * y
    x /= np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def chain_length(joints: np.ndarray) -> float:
    """Length, m, of the bones from the wrist to the tip of the middle finger; joints (21, 3) m."""
    names = ("wrist", "middle_mcp", "middle_pip", "middle_dip", "middle_tip")
    chain = joints[[JOINT_NAMES.index(name) for name in names]]
    return float(np.linalg.norm(np.diff(chain, axis=0), axis=1).sum())


def with_joints(weights: np.ndarray) -> np.ndarray:
    """Weights (n, 21) with rows for the 21 joints below: each joint moves with the bone that ends in it."""
    return np.vstack([weights, np.eye(21)])


def triangulate(
    surface: Subdivision, points: np.ndarray, joints: np.ndarray, patch: Patch
) -> tuple[GridTriangles, np.ndarray, np.ndarray]:
    """Triangles, the fine vertices they use (2651,) and their faces (5298, 3) in terms of those."""

    def length(a: int, b: int, in_cap: bool) -> float:
        behind = -(points[a, 1] + points[b, 1]) / 2
        detail = np.interp(behind, [0.0, 0.03], [1, FOREARM_DETAIL]) * (CAP_DETAIL if in_cap else 1)
        return float(detail * np.linalg.norm(points[a] - points[b]))

    triangles = bisect_to(surface, points, length, VERTICES, patch.cap_start)
    used = np.unique(triangles.vertices)
    return triangles, used, np.searchsorted(used, triangles.vertices)


def back_of_bones(nail_normals: np.ndarray) -> np.ndarray:
    """(21, 3) direction of the back of the hand at each bone: a finger's nail normal, +z for palm and forearm."""
    backs = np.tile([0.0, 0, 1.0], (21, 1))
    for finger in range(5):
        first = 4 * finger + (2 if finger else 1)
        backs[first : 4 * finger + 5] = nail_normals[finger]
    return backs


def start_loop(loop: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """The loop (L,) started on the little finger's side, where the arm's texture has its seam; vertices (V, 3)."""
    return np.roll(loop, -int(vertices[loop, 0].argmax()))


def spread_fingers(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The hand (V, 3) m with its fingers turned apart about the axis out of the back, to be flattened without overlaps.

    joints (21, 3) m, weights (V, 21).
    """
    moved = vertices.copy()
    for finger, angle in enumerate(np.radians(SPREAD_DEGREES), start=1):
        knuckle = joints[4 * finger + 1]
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
        share = weights[:, 4 * finger + 2 : 4 * finger + 5].sum(1)[:, None]
        moved += share * ((vertices - knuckle) @ (turn - np.eye(3)).T)
    return moved


def makehuman_uv(source: Source, patch: Patch, triangles: GridTriangles) -> np.ndarray:
    """(F, 3, 2) MakeHuman's own layout, so that its skins can be used; the cap gets its lower left corner."""
    corners = source.base.texture[source.base.quad_texture[patch.body_quads]]
    cap = np.full((len(patch.quads) - patch.cap_start, 4, 2), 0.001)
    cap += 0.002 * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    return np.einsum("fck,fkd->fcd", triangles.local(2**LEVELS), np.concatenate([corners, cap])[triangles.quad])
