"""Batches: every crop once an epoch; numbers decide order and changes, whoever reads and wherever it starts."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
import torch
from stand_in_source import StandInSource

from baselines.batch import Batch
from baselines.config import Augment, Data
from baselines.data.batches import Batches, all_alike
from rigging.errors import InputError

ALL = Augment(rotate=20, scale=0.1, shift=0.1, colour=0.2, noise=0.05, blur=0.5, jpeg=0.5, erase=0.5, background=0.5,
              spectrum=0.5)  # fmt: skip
SMALL = Data(size=16, batch=8, views=4, workers=2)


def same(a: Batch, b: Batch) -> bool:
    pairs = ((getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(Batch))
    return all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in pairs)


def crops_of(batches: list[Batch]) -> list[tuple[int, int]]:
    return [pair for batch in batches for pair in zip(batch.sample.tolist(), batch.view.tolist())]


def test_an_epoch_is_every_crop_once_in_an_order_of_its_own():
    batches = Batches(StandInSource(), SMALL, seed=1)
    first, second = (crops_of(list(batches.epoch(0, epoch))) for epoch in (0, 1))
    every = [(100 + i, view) for i in range(6) for view in range(4)]
    assert sorted(first) == sorted(second) == every == crops_of(list(batches.ordered()))
    assert first != second
    assert first != crops_of(list(batches.epoch(1, 0))) != crops_of(list(Batches(StandInSource(), SMALL).epoch(1, 0)))


def test_batches_are_a_function_of_seed_stage_epoch_and_step_alone():
    whole = list(Batches(StandInSource(), SMALL, ALL, seed=5).epoch(1, 2))
    for workers, cache in ((0, 1024), (3, 0)):
        again = Batches(StandInSource(), dataclasses.replace(SMALL, workers=workers), ALL, seed=5, cache_mib=cache)
        list(again.epoch(0, 0))
        assert all(map(same, whole[1:], again.epoch(1, 2, start_step=1)))
    assert not same(whole[0], next(Batches(StandInSource(), SMALL, ALL, seed=6).epoch(1, 2)))


@pytest.mark.parametrize(("views", "groups"), [(1, 8), (2, 4), (3, 8), (4, 2), (6, 4), (7, 8), (8, 1)])
def test_however_many_views_are_seen_together_all_cameras_count_alike(views, groups):
    turned = all_alike(8, views)
    assert turned.shape == (groups, views) and len({tuple(row) for row in turned.tolist()}) == groups
    assert len(set(np.bincount(turned.ravel(), minlength=8))) == 1
    gaps = np.diff(np.concatenate([turned, turned[:, :1] + 8], 1))
    assert gaps.max() - gaps.min() <= 1  # spread evenly


def test_a_sample_can_be_seen_by_several_groups_of_its_cameras():
    cameras = np.array([[0, 2], [1, 3], [0, 1]])
    batches = Batches(StandInSource(), SMALL, multi_view=True, cameras=cameras)
    told = list(batches.ordered())
    assert batches.crops == 36 and all(batch.views == 2 for batch in told)
    assert crops_of(told) == [(100 + i, view) for i in range(6) for view in (0, 2, 1, 3, 0, 1)]


def test_shapes_and_dtypes_are_those_of_a_batch():
    source = StandInSource()
    batch = next(Batches(source, SMALL, ALL, needed=("mask", "vertices_world")).epoch(0, 0))
    shapes = {
        "rgb": (8, 3, 16, 16), "K": (8, 3, 3), "world_to_cam": (8, 4, 4), "joints_cam": (8, 21, 3), "view": (8,),
        "joints_2d": (8, 21, 2), "vertices_cam": (8, 50, 3), "mask": (8, 16, 16), "joint_valid": (8, 21),
        "joint_visible": (8, 21), "sample": (8,), "subject": (8,), "depth": (8, 16, 16),
    }  # fmt: skip
    boolean, whole = ("mask", "joint_valid", "joint_visible"), ("sample", "subject", "view")
    for name, shape in shapes.items():
        value = getattr(batch, name)
        assert value.shape == shape, name
        wanted = torch.bool if name in boolean else torch.int64 if name in whole else torch.float32
        assert value.dtype == wanted, name
    assert batch.views == 1
    assert batch.rgb.min() >= 0 and batch.rgb.max() <= 1
    assert (batch.subject == (batch.sample - 100) // 2).all()


@pytest.mark.parametrize("augment", [None, ALL])
def test_depth_is_that_of_the_hand_and_moves_with_its_mask(augment):
    """The arm, which a release's depth shows, too, is background; a value is one that a pixel of the picture has."""
    source = StandInSource()
    loader = Batches(source, SMALL, augment, multi_view=True)
    for batch in loader.epoch(0, 0) if augment else loader.ordered():
        assert (batch.depth[~batch.mask] == 0).all() and (batch.depth[batch.mask] > 0).float().mean() > 0.8
        for row, (sample, view) in enumerate(zip(batch.sample.tolist(), batch.view.tolist())):
            whole = torch.from_numpy(source.everything(sample - 100)["depth"][view])
            assert torch.isin(batch.depth[row], whole).all()
    without = next(Batches(StandInSource(lacks=("mask",)), SMALL).ordered())
    assert (without.depth > 0).float().mean() > 0.8
    assert next(Batches(StandInSource(lacks=("depth",)), SMALL).ordered()).depth is None


@pytest.mark.parametrize("augment", [None, ALL])
def test_labels_stay_those_of_their_crop(augment):
    """Whatever moved, joints project to their pixels, and the world's vertices lie where the camera has them."""
    source = StandInSource()
    loader = Batches(source, SMALL, augment, multi_view=True)
    for batch in loader.epoch(0, 0) if augment else loader.ordered():
        seen = batch.joints_cam @ batch.K.mT
        torch.testing.assert_close(seen[..., :2] / seen[..., 2:], batch.joints_2d, atol=1e-3, rtol=1e-4)
        for row, (sample, pose) in enumerate(zip(batch.sample.tolist(), batch.world_to_cam)):
            world = torch.from_numpy(source.everything(sample - 100)["vertices_world"])
            torch.testing.assert_close(batch.vertices_cam[row], world @ pose[:3, :3].T + pose[:3, 3])


def test_without_augmentation_the_hand_fills_its_share_of_the_crop():
    for batch in Batches(StandInSource(), dataclasses.replace(SMALL, margin=1.25)).ordered():
        extent = (batch.joints_2d.amax(1) - batch.joints_2d.amin(1)).amax(1)
        middle = (batch.joints_2d.amax(1) + batch.joints_2d.amin(1)) / 2
        torch.testing.assert_close(extent, torch.full((8,), 16 / 1.25))
        torch.testing.assert_close(middle, torch.full((8, 2), 8.0))


@pytest.mark.parametrize(("views", "cameras"), [(4, [0, 1, 2, 3]), (2, [0, 2]), (1, [0])])
def test_multi_view_batches_hold_whole_samples(views, cameras):
    batches = Batches(StandInSource(), dataclasses.replace(SMALL, views=views, batch=4), multi_view=True)
    every = list(batches.epoch(0, 0))
    assert all(batch.views == views and len(batch) == 4 for batch in every)
    for batch in every:
        assert (batch.sample.reshape(-1, views) == batch.sample.reshape(-1, views)[:, :1]).all()
        assert (batch.view.reshape(-1, views) == torch.tensor(cameras)).all()
    assert len(every) == len(batches) == 6 * views // 4


def test_only_the_first_samples_where_that_is_said():
    batches = Batches(StandInSource(), dataclasses.replace(SMALL, samples=2))
    assert batches.crops == 8
    assert {sample for sample, _ in crops_of(list(batches.epoch(0, 0)))} == {100, 101}


def test_mixed_precision_of_the_loop_does_not_reach_the_data():
    plain, data = list(Batches(StandInSource(), SMALL, ALL).epoch(0, 0)), dataclasses.replace(SMALL, workers=0)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(map(same, plain, Batches(StandInSource(), data, ALL).epoch(0, 0)))


def test_the_last_crops_are_left_to_another_epoch_or_come_in_a_smaller_batch():
    batches = Batches(StandInSource(samples=5), SMALL)
    assert [len(batch) for batch in batches.epoch(0, 0)] == [8, 8]
    assert [len(batch) for batch in batches.ordered()] == [8, 8, 4]
    assert [len(batch) for batch in batches.ordered(8)] == [8, 4]
    alone = Batches(StandInSource(samples=1), SMALL)
    assert [len(batch) for batch in alone.epoch(0, 0)] == [4]


def test_processes_share_an_epoch_and_change_their_crops_differently():
    parts = [Batches(StandInSource(), SMALL, ALL, share=(rank, 3)) for rank in range(3)]
    crops = [crop for part in parts for crop in crops_of(list(part.epoch(0, 0)))]
    assert sorted(crops) == [(100 + i, view) for i in range(6) for view in range(4)]
    alike = StandInSource(samples=2, views=1)
    alike.everything = lambda sample: StandInSource.everything(alike, 0)
    one = dataclasses.replace(SMALL, batch=1, views=1)
    a, b = (next(Batches(alike, one, ALL, share=(rank, 2)).epoch(0, 0)) for rank in (0, 1))
    assert not torch.equal(a.rgb, b.rgb)


def test_what_was_read_is_kept_while_there_is_room():
    source = StandInSource()
    batches = Batches(source, SMALL)
    crops_of(list(batches.epoch(0, 0)))
    kept = len(source.reads)
    assert all(views == (0, 1, 2, 3) for _, views in source.reads)
    list(batches.epoch(0, 1))
    assert len(source.reads) == kept
    crowded = StandInSource()
    list(Batches(crowded, SMALL, cache_mib=0).epoch(0, 0))
    read = [(sample, view) for sample, views in crowded.reads for view in views]
    assert sorted(read) == [(sample, view) for sample in range(6) for view in range(4)]


def test_the_share_of_time_waited_is_counted():
    slow = Batches(StandInSource(seconds=0.01), dataclasses.replace(SMALL, workers=1), cache_mib=0)
    for _ in slow.epoch(0, 0):
        pass
    assert slow.waiting_share > 0.9
    fast = Batches(StandInSource(samples=20), SMALL)
    for _ in fast.epoch(0, 0):
        pass
    fast.waited = fast.elapsed = 0.0
    for _ in fast.epoch(0, 1):
        time.sleep(0.1)
    assert 0 < fast.waiting_share < 0.3


def test_a_fault_of_a_reader_is_raised_where_batches_are_asked_for():
    source = StandInSource()

    def broken(sample, views=None):
        raise InputError("stand-in: sample 3 cannot be read")

    source.read = broken
    with pytest.raises(InputError, match="sample 3 cannot be read"):
        next(Batches(source, SMALL).epoch(0, 0))


def test_leaving_a_loop_early_leaves_no_thread_behind():
    import threading

    before = threading.active_count()
    epoch = Batches(StandInSource(samples=40, seconds=0.002), SMALL, cache_mib=0).epoch(0, 0)
    next(epoch)
    assert threading.active_count() > before
    epoch.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("options", "data", "told"),
    [
        ({"needed": ("mask",)}, {}, "stand-in: training needs mask, which the data do not have"),
        ({"multi_view": True}, {"batch": 6}, "data.batch = 6: a multiple of the 4 views"),
        ({"multi_view": True}, {"views": 8}, "data.views = 8: stand-in has 1 to 4"),
        ({}, {"margin": 0.0}, "margin above 0"),
        ({"share": (0, 99)}, {}, "24 crops are too few for 99 processes"),
        ({"share": (2, 2)}, {}, "process 2 of 2"),
    ],
)
def test_what_does_not_fit_is_said(options, data, told):
    with pytest.raises(InputError, match=told):
        Batches(StandInSource(lacks=("mask",)), dataclasses.replace(SMALL, **data), **options)


def test_joints_without_a_label_do_not_decide_the_crop():
    source = StandInSource()
    whole = source.everything

    def everything(sample):
        values = whole(sample)
        values["joint_valid"] = np.ones((4, 21), bool)
        values["joint_valid"][:, 5] = False
        values["joints_2d"][:, 5:7] = np.nan
        return values

    source.everything, source.fields = everything, source.fields | {"joint_valid"}
    batch = next(Batches(source, SMALL).ordered())
    assert not batch.joint_valid[:, 5:7].any() and batch.joint_valid.sum() == 8 * 19
    assert batch.joints_2d.isfinite().all() and (batch.joints_cam[:, 5:7] == 0).all()
    others = batch.joints_2d[batch.joint_valid]
    assert (others > 0).all() and (others < 16).all()
