"""The noise model: each cause of an error shows as it is said to, and numbers of samples decide all chance."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import rankdata, t
from stand_in_source import StandInSource

from baselines.data.label_noise import Draws, Noise, Truth, draw, noise_labels, noisy, scale, swapped
from rigging.errors import InputError
from rigging.geometry.projection import project, triangulate

SAMPLES, VIEWS = 300, 4
STILL = Noise(shared=0, view=0, swap=0, swap_hidden=0)  # nothing but each joint's own error


def truth_with(visible: np.ndarray | bool, samples: int = SAMPLES) -> Truth:
    """Hands of random joints before a ring of cameras, seen in pictures of 200 px that hold them."""
    rng = np.random.default_rng(8)
    angles = 2 * np.pi * np.arange(VIEWS) / VIEWS
    cos, sin, zero = np.cos(angles), np.sin(angles), 0 * angles
    pose = np.tile(np.eye(4), (VIEWS, 1, 1))
    pose[:, :3, :3] = np.stack([cos, zero, sin, zero, zero + 1, zero, -sin, zero, cos], -1).reshape(-1, 3, 3)
    pose[:, 2, 3] = 0.6
    world = rng.uniform(-0.08, 0.08, (samples, 21, 3))
    K = np.tile([[400.0, 0, 100], [0, 400, 100], [0, 0, 1]], (samples, VIEWS, 1, 1))
    cam = np.einsum("vij,nkj->nvki", pose[:, :3, :3], world) + pose[:, None, :3, 3]
    pixels = np.einsum("nvij,nvkj->nvki", K, cam / cam[..., 2:])[..., :2]
    seen = np.broadcast_to(visible, pixels.shape[:-1])
    return Truth(cam, pixels, seen, K, np.tile(pose, (samples, 1, 1, 1)), (200, 200))


def errors(truth: Truth, noise: Noise, seed: int = 0) -> np.ndarray:
    """(n, V, 21, 2) px of the crop."""
    labels, _ = noisy(truth, drawn(truth, noise, seed), noise)
    return (labels - truth.joints_2d) / scale(truth.joints_2d)


def drawn(truth: Truth, noise: Noise, seed: int = 0) -> Draws:
    return draw(seed, range(len(truth.K)), VIEWS, noise.tail)


def test_visible_joints_are_off_by_a_normal_of_that_many_pixels_of_the_crop():
    off = errors(truth_with(True), STILL)
    assert off.std() == pytest.approx(3.0, rel=0.02) and abs(off.mean()) < 0.05
    assert np.mean(np.abs(off) > 9) < 0.004  # three standard deviations: 0.27 %


def test_a_pixel_of_the_crop_is_a_224th_of_the_joints_box_and_its_margin():
    joints = np.zeros((1, 1, 21, 2))
    joints[0, 0, 1] = 112, 30
    assert scale(joints).item() == pytest.approx(1.3 * 112 / 224)


def test_hidden_joints_have_the_tails_of_student_s_t():
    off = errors(truth_with(False), dataclasses.replace(STILL, reach=1e9)).ravel()
    for quantile in (0.6, 0.75, 0.9, 0.99):
        assert np.quantile(off, quantile) == pytest.approx(8 * t.ppf(quantile, 3), rel=0.06, abs=0.1)


def test_no_joint_is_off_by_more_than_a_detector_can_reach():
    off = np.linalg.norm(errors(truth_with(False), dataclasses.replace(STILL, hidden=200)), axis=-1)
    assert off.max() == pytest.approx(112, abs=1e-3) and np.mean(off > 111.9) > 0.3


def test_joints_outside_of_the_picture_are_not_seen():
    truth = dataclasses.replace(truth_with(True), image_size=(200, 0))
    assert errors(truth, STILL).std() > 8


def test_the_shared_part_is_one_hand_displaced_by_two_millimetres():
    truth, noise = truth_with(True, 60), dataclasses.replace(STILL, visible=1e-9, shared=2.0)
    labels, _ = noisy(truth, drawn(truth, noise), noise)
    moved = []
    for sample in range(60):
        K, pose = truth.K[sample], truth.world_to_cam[sample]
        points = triangulate(labels[sample].astype(float), K, pose)
        np.testing.assert_allclose(project(points, K, pose), labels[sample], atol=1e-3)
        moved.append(points - triangulate(truth.joints_2d[sample], K, pose))
    assert 1000 * np.std(moved) == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize(("visible", "chance"), [(True, 0.01), (False, 0.11)])
def test_neighbouring_fingers_are_swapped_the_more_of_them_is_hidden(visible, chance):
    truth = truth_with(visible, 2000)
    taken = swapped(truth.joint_visible, drawn(truth, Noise()), Noise())
    per_pair = [(taken[..., 4 * pair + 4] == 4 * pair + 8).mean() for pair in range(4)]  # tips are, whenever any is
    np.testing.assert_allclose(per_pair, chance, atol=4 * math.sqrt(chance / 8000))
    assert (taken[..., [0, 1, 5, 9, 13, 17]] == [0, 1, 5, 9, 13, 17]).all()  # wrist and knuckles never
    assert (np.sort(taken, -1) == np.arange(21)).all()


def test_confidence_tells_of_errors_but_not_all():
    rng = np.random.default_rng(1)
    truth = truth_with(rng.random((SAMPLES, VIEWS, 21)) < 0.75)
    labels, sure = noisy(truth, drawn(truth, Noise()), Noise())
    off = np.linalg.norm(labels - truth.joints_2d, axis=-1) / scale(truth.joints_2d)[..., 0]
    rank = np.corrcoef(rankdata(-sure), rankdata(off))[0, 1]
    assert 0.35 < rank < 0.7
    assert sure[truth.joint_visible].mean() == pytest.approx(0.79, abs=0.03)
    assert sure[~truth.joint_visible].mean() == pytest.approx(0.45, abs=0.05)
    assert (sure > 0).all() and (sure < 1).all() and np.mean(sure[off > 30] > 0.6) > 0.05  # confidently wrong, too


def test_it_is_what_a_loop_over_views_and_joints_gives():
    rng, noise = np.random.default_rng(2), Noise(swap=0.1)
    truth = truth_with(rng.random((20, VIEWS, 21)) < 0.6, 20)
    chance = drawn(truth, noise, 5)
    labels, sure = noisy(truth, chance, noise)
    for n in range(20):
        for v in range(VIEWS):
            joints, confidence = naive(truth, chance, noise, n, v)
            np.testing.assert_allclose(labels[n, v], joints, atol=1e-3)
            np.testing.assert_allclose(sure[n, v], confidence, atol=1e-5)


def naive(truth: Truth, chance: Draws, noise: Noise, n: int, v: int) -> tuple[list, list]:
    """Labels and confidence of one view, a joint at a time."""
    pixels, seen = truth.joints_2d[n, v], truth.joint_visible[n, v]
    unit = 1.3 * max(np.ptp(pixels[:, 0]), np.ptp(pixels[:, 1])) / 224
    turn = truth.world_to_cam[n, v, :3, :3]
    places, sigmas = [], []
    for j in range(21):
        spread = noise.visible if seen[j] else noise.hidden * math.sqrt(noise.tail / chance.tail[n, v, j])
        sigmas.append(spread * math.exp(noise.view * chance.view[n, v, 0]))
        x, y, z = truth.K[n, v] @ (truth.joints_cam[n, v, j] + turn @ (noise.shared / 1000 * chance.shared[n, j]))
        off = ([x / z, y / z] - pixels[j]) / unit + sigmas[j] * chance.place[n, v, j]
        places.append(pixels[j] + unit * off * min(1, noise.reach / np.linalg.norm(off)))
    order, drawn_pair, bound = list(range(21)), chance.pair[n, v], 0.0
    for pair in range(4):
        hidden = [not seen[j] for j in range(4 * pair + 1, 4 * pair + 9)]
        bound += noise.swap + noise.swap_hidden * sum(hidden) / 8
        if drawn_pair < bound:
            for level in range(chance.level[n, v], 4):
                a, b = 4 * pair + 1 + level, 4 * pair + 5 + level
                order[a], order[b] = b, a
            break
    logits = [1.5 - 1.5 * math.log(sigmas[k] / noise.visible) - 0.5 * (k != j) for j, k in enumerate(order)]
    sure = [1 / (1 + math.exp(-logit - 0.5 * chance.doubt[n, v, j])) for j, logit in enumerate(logits)]
    return [places[k] for k in order], sure


def test_a_sample_s_number_decides_its_chance_in_whatever_order():
    every, few = draw(3, range(10), VIEWS, 3.0), draw(3, [7, 2], VIEWS, 3.0)
    for field in dataclasses.fields(Draws):
        np.testing.assert_array_equal(getattr(few, field.name), getattr(every, field.name)[[7, 2]])
    assert (draw(4, [7], VIEWS, 3.0).place != few.place[:1]).all()


def test_a_data_set_s_labels_are_those_of_each_sample(monkeypatch):
    source = StandInSource(samples=5)
    joints, sure = noise_labels(source, seed=3)
    monkeypatch.setattr("baselines.data.label_noise.AT_A_TIME", 2)
    again = noise_labels(source, seed=3)
    assert (again[0] == joints).all() and (again[1] == sure).all()
    assert joints.shape == (5, 4, 21, 2) and joints.dtype == sure.dtype == np.float32


def test_without_exact_visibility_there_is_no_noise_model():
    with pytest.raises(InputError, match="stand-in: the noise model needs joint_visible"):
        noise_labels(StandInSource(lacks=("joint_visible",)))
