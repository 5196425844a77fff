"""The validation on a rendered shard: it passes as it is, within its budget, and notices what statistics must."""

from __future__ import annotations

import time

import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.check.sample import check_rows, link, sample_figures
from dataset_tools.check.stored import STORED, Stored
from dataset_tools.check.surface import Topology
from dataset_tools.check.validate import validate
from dataset_tools.check.verdicts import CHECKS
from dataset_tools.store.layout import ReleaseFolder

BUDGET = 0.15  # s of processor time for a sample of 8 views of 256 px, decoding included


@pytest.fixture(scope="module")
def rendered(real_shard) -> list[Stored]:
    """The shard's four samples: two pairs."""
    dataset = HandDataset(real_shard, fields=STORED)
    topology = Topology(dataset.faces, dataset.arm_faces, dataset.face_part, dataset.sizes["N"])
    values = [dataset[row] for row in range(4)]
    samples = [Stored(one, one.pop("meta"), topology, dataset.attrs) for one in values]
    link(samples[:2])
    link(samples[2:])
    return samples


def failing(samples: list[Stored], **changed: np.ndarray) -> set[str]:
    """Checks that fail in the first of a pair of samples when some of its arrays are others."""
    first, second = (
        Stored({**one.values, **(changed if one is samples[0] else {})}, one.meta, one.topology, one.attrs)
        for one in samples
    )
    link([first, second])
    return {name for name, figure in sample_figures(first).items() if CHECKS[name].fails(figure.value)}


def with_view(images: np.ndarray, view: int, image: np.ndarray) -> np.ndarray:
    out = images.copy()
    out[view] = image
    return out


def test_a_rendered_shard_passes_every_check(real_shard):
    report = validate(ReleaseFolder(real_shard.parent)).report
    assert report.problems == ()
    assert [one.messages for one in report.results] == [()] * 4
    assert report.state.startswith("incomplete: 1 of 4 shards, 4 samples")
    near = {one.name: one for one in report.checks if one.name in ("mask", "parts", "depth", "flow", "joint_visible")}
    assert all(one.worst is not None and one.worst <= one.limit / 2 for one in near.values())


def test_a_sample_costs_less_than_its_budget(real_shard, measured):
    check_rows(real_shard, range(2))  # what is imported and cached once
    times = []
    for _ in range(3):
        start = time.process_time()
        check_rows(real_shard, range(4))
        times.append((time.process_time() - start) / 4)
    measured(f"validation: {min(times):.3f} s of processor time per sample of 8 views of 256 px (budget {BUDGET} s)")
    assert min(times) < BUDGET


@pytest.mark.parametrize("view", range(8))
def test_a_mask_one_pixel_off_in_one_view_is_named(view, rendered):
    parts = rendered[0]["parts"]
    assert "mask" in failing(rendered[:2], parts=with_view(parts, view, np.roll(parts[view], 1, axis=1)))


@pytest.mark.parametrize("view", range(8))
def test_a_picture_of_another_sample_is_named(view, rendered):
    rgb = with_view(rendered[0]["rgb"], view, rendered[2]["rgb"][view])
    assert "picture" in failing(rendered[:2], rgb=rgb)


@pytest.mark.parametrize("view", range(8))
def test_a_mirrored_picture_is_named(view, rendered):
    rgb = rendered[0]["rgb"]
    assert "picture" in failing(rendered[:2], rgb=with_view(rgb, view, rgb[view][:, ::-1]))


def test_pictures_of_another_sample_are_named(rendered):
    assert "silhouette" in failing(rendered[:2], rgb=rendered[2]["rgb"])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("depth", lambda s: {"depth": s["depth"] * np.float32(1.0005)}),
        ("flow", lambda s: {"flow_forward": -s["flow_forward"]}),
        ("warp", lambda s: {"flow_forward": -s["flow_forward"]}),
        ("intrinsics", lambda s: {"K": s["K"] + np.array([[0, 0, 2], [0, 0, 0], [0, 0, 0]])}),
        ("alpha", lambda s: {"alpha": np.roll(s["alpha"], 1, axis=2)}),
        ("joint_visible", lambda s: {"joint_visible": ~s["joint_visible"]}),
    ],
)
def test_wrong_labels_are_named(name, change, rendered):
    assert name in failing(rendered[:2], **change(rendered[0]))
