"""The meshes and joints by themselves: a hand of this size, with its joints where they belong, of the side it says."""

from __future__ import annotations

import numpy as np

from rigging.geometry.cameras import palm_frame
from rigging.geometry.mesh import face_normals
from rigging.hand.bones import bone_lengths
from rigging.joints import BONE_PARTS, JOINT_NAMES, TIP_JOINTS

from .figures import Check, Figure, Figures, measured
from .stored import Stored
from .surface import Topology

CHECKS = (
    Check("joints", "distance of a joint from where its parts meet, in hand lengths", 0.08, ""),
    Check("edges", "longest edge of the hand's mesh, in hand lengths", 0.2, ""),
    Check("hand_size", "share by which wrist to middle fingertip, along the bones, differs from hand_length", 0.02, ""),
    Check("handedness", "evidence that the hand is not of the side it is called", 0, ""),
    Check("residual", "difference of residual from the distance of the source's joints", 0.01, "mm"),
)
SUBJECT_CHECKS = (
    Check("bones", "difference of a bone's length from the subject's median", 0.05, "mm"),
    Check("mesh_size", "share by which the mean edge of the hand's mesh differs from the subject's median", 0.05, ""),
)
MIDDLE = (9, 10, 11, 12)
FINGERS = ((5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
SURE_BEND = 3.0  # radians over four fingers: hands bend back by less than this


def anatomy_figures(sample: Stored) -> Figures:
    """Figures of all CHECKS of one sample."""
    joints, hand = sample["joints_world"].astype(float), sample["vertices_world"].astype(float)
    length, faces = float(sample.meta["hand_length"]), sample.topology.hand_faces
    misplaced = joint_distances(joints, hand, sample.topology) / length
    edge = edge_lengths(hand, faces).max()
    reach = bone_lengths(joints)[list(MIDDLE)].sum()
    residual = np.abs(np.linalg.norm(joints - sample.meta["source_joints"], axis=1) - sample.meta["residual"])
    keeps = sample.attrs["retarget"] == "directions"  # else bones are as long as the source's
    return measured(
        joints=Figure(float(misplaced.max()), JOINT_NAMES[int(misplaced.argmax())]),
        edges=Figure(float(edge / length)),
        hand_size=Figure(abs(float(reach / length) - 1)) if keeps else None,
        handedness=handedness(joints, hand, faces, sample.meta["hand"]),
        residual=Figure(float(residual.max() * 1000), JOINT_NAMES[int(residual.argmax())]),
    )


def subject_figures(bones: np.ndarray, edges: np.ndarray, subject: np.ndarray) -> list[Figures]:
    """Figures of SUBJECT_CHECKS of S samples, each against all of its subject; `edges` (S,) m is the mean edge.

    bones: (S, 21) m, NaN where the retargeting does not keep them.
    """
    out: list[Figures] = [{} for _ in subject]
    for one in np.unique(subject):
        own = np.flatnonzero(subject == one)
        off = np.abs(bones[own] - np.median(bones[own], axis=0)) * 1000
        size = np.abs(edges[own] / np.median(edges[own]) - 1)
        for row, bone, edge in zip(own, off, size):
            out[row]["mesh_size"] = Figure(float(edge))
            if not np.isnan(bone).any():
                out[row]["bones"] = Figure(float(bone.max()), JOINT_NAMES[int(bone.argmax())])
    return out


def edge_lengths(hand: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3) m: the edges of triangles (F, 3) of vertices (N, 3)."""
    corners = hand[faces]
    return np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2)


def joint_distances(joints: np.ndarray, hand: np.ndarray, topology: Topology) -> np.ndarray:
    """(21,) m: how far each joint is from the middle of the ring of vertices where its two parts meet.

    A fingertip has no such ring: its distance is that from the nearest vertex among the outermost of its part.
    """
    out = np.zeros(len(joints))
    rings = topology.rings
    for joint in range(len(joints)):
        if joint in TIP_JOINTS:
            own = topology.part_vertices[BONE_PARTS[joint]]
            root = hand[rings[joint - 1]].mean(0)
            far = np.linalg.norm(hand[own] - root, axis=1)
            end = hand[own[far > 0.8 * far.max()]]
            out[joint] = np.linalg.norm(end - joints[joint], axis=1).min()
        else:
            out[joint] = np.linalg.norm(hand[rings[joint]].mean(0) - joints[joint])
    return out


def handedness(joints: np.ndarray, hand: np.ndarray, faces: np.ndarray, said: str) -> Figure:
    """Above 0 if the mesh is inside out for the side it is `said` to be, or the fingers bend away from the palm.

    `faces` are those of a right hand: they enclose a positive volume there and a negative one for its mirror image.
    """
    side = 1.0 if said == "right" else -1.0
    volume = (face_normals(hand, faces) * hand[faces].mean(1)).sum() / 6
    if side * volume <= 0:
        return Figure(1.0, f"called {said}, the mesh encloses {volume * 1e6:.0f} cm3")
    bend = side * finger_bend(joints)
    return Figure(float(max(0.0, -bend - SURE_BEND)), f"called {said}, the fingers bend by {bend:.1f} rad to the palm")


def finger_bend(joints: np.ndarray) -> float:
    """How far the four fingers bend, in radians: to the palm above 0 for a right hand, below 0 for a left one."""
    across = palm_frame(joints)[1][:, 0]  # from index to little finger
    total = 0.0
    for finger in FINGERS:
        bones = np.diff(joints[list(finger)], axis=0)
        bones /= np.linalg.norm(bones, axis=1, keepdims=True) + 1e-12
        total -= float((np.cross(bones[:-1], bones[1:]) @ across).sum())
    return total
