"""The tiny release shows both hands, really rendered; all other tests of it hold that their order changes no byte."""

from __future__ import annotations

from contextlib import closing

from shard_commands import shard_of

from dataset_tools.check.shard import check_shard
from dataset_tools.load.dataset import HandDataset, outward
from rigging.geometry.mesh import volume


def test_each_hand_is_shown_as_it_is_labelled(undisturbed):
    """Cycles' own depth and index agreed with the labels of every view (`crosscheck = 1`); so do meshes and cameras."""
    path = shard_of(undisturbed)
    with closing(HandDataset(path, fields=("hand", "mirrored", "vertices_world"))) as hands:
        samples, faces = list(hands), hands.faces
    shown = [sample["meta"]["hand"] for sample in samples]
    assert shown[::2] == shown[1::2] and set(shown) == {"left", "right"}
    for sample in samples:
        assert not sample["meta"]["mirrored"]
        assert volume(sample["vertices_world"], outward(faces, sample["meta"]["hand"])) > 0
    assert check_shard(path).problems == ()
