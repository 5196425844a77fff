"""Labels mean what the design says: flow follows vertices, visibility follows the first surface, seams stay smooth."""

from __future__ import annotations

import numpy as np
import pytest

from blender_scripts.labels.hand import label_hand, make_surface, surface_normals
from rigging.hand.asset import load_asset
from rigging.joints import ARM_PART, JOINT_NAMES, PART_NAMES

SIZE = 96
K = np.array([[130.0, 0, 48], [0, 130.0, 48], [0, 0, 1]])
FROM_BACK = np.diag([1.0, -1, -1, 1])  # camera above the back of the hand, fingers up
FROM_BACK[:3, 3] = [0, 0.06, 0.42]
FROM_PALM = np.diag([-1.0, -1, 1, 1])
FROM_PALM[:3, 3] = [0, 0.06, 0.42]


def tube(asset, rings=5):
    """A straight bare arm: the cut loop, repeated along -y and closed by nothing."""
    loop = asset.template[asset.cut_loop]
    count = len(loop)
    vertices = np.concatenate([loop - [0, 0.05 * ring, 0] for ring in range(rings)])
    quads = [(r * count + i, r * count + (i + 1) % count) for r in range(rings - 1) for i in range(count)]
    faces = [(a, b, a + count) for a, b in quads] + [(b, b + count, a + count) for a, b in quads]
    faces = np.array(faces, np.int32)
    outward = np.cross(vertices[faces[0, 1]] - vertices[faces[0, 0]], vertices[faces[0, 2]] - vertices[faces[0, 0]])
    if outward @ (vertices[faces[0, 0]] - loop.mean(0)) < 0:
        faces = faces[:, ::-1].copy()
    return vertices, faces


@pytest.fixture(scope="module")
def hand():
    asset = load_asset()
    arm, arm_faces = tube(asset)
    return asset, make_surface(asset, arm_faces, arm_joined=True), np.concatenate([asset.template, arm])


def labels_of(hand, previous=None, following=None, views=(FROM_BACK, FROM_PALM)):
    asset, surface, vertices = hand
    intrinsics = np.stack([K] * len(views))
    size = SIZE, SIZE
    return label_hand(surface, vertices, asset.joints, intrinsics, np.stack(views), size, previous, following)


def joints_of(hand, vertices, world_to_cam):
    """Which joints are visible, and which in the frame, of one view."""
    asset, surface, _ = hand
    labels = labels_of((asset, surface, vertices), views=(world_to_cam,))
    return labels["joint_visible"][0], labels["joint_in_frame"][0]


def test_depth_parts_and_normals_share_one_silhouette(hand):
    labels = labels_of(hand)
    seen = labels["parts"] > 0
    assert 0.05 < seen.mean() < 0.6
    assert np.array_equal(seen, labels["depth"] > 0)
    assert np.array_equal(seen, np.linalg.norm(labels["normals"], axis=-1) > 0.5)
    assert np.allclose(np.linalg.norm(labels["normals"], axis=-1)[seen], 1, atol=1e-6)
    assert (labels["depth"][seen] > 0.3).all() and (labels["depth"][seen] < 0.5).all()


def test_the_mask_is_the_hand_without_its_arm(hand):
    labels = labels_of(hand)
    assert np.array_equal(labels["mask"], (labels["parts"] > 0) & (labels["parts"] != ARM_PART))
    assert (labels["parts"] == ARM_PART).any()


def test_parts_lie_where_anatomy_puts_them(hand):
    parts = labels_of(hand)["parts"]
    for view, thumb_is_left in ((0, True), (1, False)):
        columns = {name: np.argwhere(parts[view] == k)[:, 1].mean() for k, name in enumerate(PART_NAMES) if k}
        assert (columns["thumb_distal"] < columns["little_distal"]) == thumb_is_left
    rows = {name: np.argwhere(parts[0] == k)[:, 0].mean() for k, name in enumerate(PART_NAMES) if k}
    assert rows["middle_distal"] < rows["middle_middle"] < rows["middle_proximal"] < rows["palm"] < rows["forearm"]
    assert rows["forearm"] < rows["arm"]


def test_normals_face_the_camera_and_run_on_across_the_cut(hand):
    asset, surface, vertices = hand
    labels = labels_of(hand)
    facing = labels["normals"][..., 2][labels["parts"] > 0]
    assert (facing < 0.1).mean() > 0.995  # interpolated normals may lean away at the rim alone
    normals = surface_normals(vertices, surface)
    count = len(asset.cut_loop)
    arm_start = normals[len(asset.template) : len(asset.template) + count]
    assert np.array_equal(arm_start, normals[asset.cut_loop])
    assert np.abs(arm_start[:, 1]).max() < 0.35  # a cap in the sum would tilt them along the arm


def test_vertex_normals_agree_with_the_naive_sum(hand):
    _, surface, vertices = hand
    naive = np.zeros_like(vertices)
    for a, b, c in surface.smooth_faces:
        n = np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
        naive[a] += n
        naive[b] += n
        naive[c] += n
    naive = naive[surface.seam]
    used = np.linalg.norm(naive, axis=1) > 0
    naive[used] /= np.linalg.norm(naive[used], axis=1, keepdims=True)
    assert np.allclose(surface_normals(vertices, surface), naive, atol=1e-12)


def test_flow_is_the_projected_motion_of_the_surface(hand):
    _, _, vertices = hand
    shift = np.array([0.006, -0.004, 0.01])
    labels = labels_of(hand, previous=vertices - 2 * shift, following=vertices + shift, views=(FROM_BACK,))
    seen = np.argwhere(labels["parts"][0] > 0)
    z = labels["depth"][0][tuple(seen.T)].astype(float)[:, None]
    pixel = seen[:, ::-1] + 0.5
    for name, motion in (("flow_forward", shift), ("flow_backward", -2 * shift)):
        in_camera = FROM_BACK[:3, :3] @ motion
        here = (pixel - K[:2, 2]) / np.diag(K)[:2] * z
        there = (here + in_camera[:2]) / (z + in_camera[2]) * np.diag(K)[:2] + K[:2, 2]
        flow = labels[name][0][tuple(seen.T)]
        assert np.abs(flow - (there - pixel)).max() < 1e-3
        assert labels[f"{name}_valid"]
        assert not labels[name][0][labels["parts"][0] == 0].any()


def test_flow_without_a_neighbour_is_zero_and_invalid(hand):
    labels = labels_of(hand)
    for name in ("flow_forward", "flow_backward"):
        assert not labels[f"{name}_valid"]
        assert not labels[name].any()
        assert not labels[f"{name}_visible"].any()


def test_flow_visibility_knows_what_is_hidden_there(hand):
    asset, _, vertices = hand
    still = labels_of(hand, following=vertices, views=(FROM_BACK,))
    assert np.array_equal(still["flow_forward_visible"][0], still["parts"][0] > 0)
    swung = vertices.copy()  # the index finger moves straight under the rest of the hand
    index_finger = np.unique(asset.faces[np.isin(asset.face_part, (6, 7, 8))])
    swung[index_finger] += [0.045, -0.06, -0.05]
    hidden = labels_of(hand, following=swung, views=(FROM_BACK,))
    parts, visible = hidden["parts"][0], hidden["flow_forward_visible"][0]
    assert visible[parts == 8].mean() < 0.2
    assert visible[parts == 14].mean() > 0.95


def test_flow_out_of_the_frame_is_not_visible(hand):
    _, _, vertices = hand
    labels = labels_of(hand, following=vertices + [1.0, 0, 0], views=(FROM_BACK,))
    assert not labels["flow_forward_visible"].any()
    assert np.abs(labels["flow_forward"]).max() > 300


def test_joints_of_an_open_hand_are_visible_and_a_covering_arm_hides_them(hand):
    asset, _, vertices = hand
    labels = labels_of(hand)
    assert labels["joint_visible"][:, 5:].all()  # the ball of the thumb may come before its inner joints
    assert labels["joint_in_frame"].all()
    covered = vertices.copy()
    covered[len(asset.template) :] += [0.03, 0.2, 0.1]  # lay the arm over the fingers, on the side of the camera
    visible, _ = joints_of(hand, covered, FROM_BACK)
    assert 0 < (~visible).sum() < 21


def test_edge_on_the_near_fingers_hide_the_far_ones(hand):
    from_little_side = np.array([[0, 0, -1, 0], [0, -1, 0, 0.06], [-1, 0, 0, 0.45], [0, 0, 0, 1.0]])
    visible, in_frame = joints_of(hand, hand[2], from_little_side)
    named = dict(zip(JOINT_NAMES, visible))
    assert named["little_tip"] and named["little_pip"]
    assert not named["ring_mcp"] and not named["middle_mcp"]
    assert in_frame.all()


def test_a_joint_beyond_the_border_is_not_in_frame(hand):
    shifted = FROM_BACK.copy()
    shifted[0, 3] += 0.13
    visible, in_frame = joints_of(hand, hand[2], shifted)
    assert visible.all()  # occlusion and framing are separate facts
    assert 0 < in_frame.sum() < 21


def test_a_left_hand_is_the_mirror_image(hand):
    asset, surface, vertices = hand
    arm_faces = surface.faces[len(asset.faces) :] - len(asset.template)
    left = make_surface(asset, arm_faces, arm_joined=True, left=True)
    mirrored = vertices * [-1, 1, 1]
    right_normals, left_normals = surface_normals(vertices, surface), surface_normals(mirrored, left)
    assert np.allclose(left_normals, right_normals * [-1, 1, 1], atol=1e-12)
