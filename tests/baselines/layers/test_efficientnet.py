"""EfficientNet-B0: torchvision's names and sizes, a block as the paper draws it, and weights of its file taken over."""

from __future__ import annotations

import pytest
import torch
from efficientnet_facts import BLOCKS, CLASSIFIER, PUBLISHED, published_shapes
from torch import nn
from torch.nn import functional as F

from baselines.layers.efficientnet import Block, EfficientNet, scaled
from baselines.train.initial import initialise


def test_its_state_is_that_of_the_public_file_without_the_classifier():
    with torch.device("meta"):
        network = EfficientNet()
    shapes = {name: tuple(one.shape) for name, one in network.state_dict().items()}
    assert shapes == published_shapes() and len(shapes) == 358
    assert sum(one.numel() for one in network.parameters()) == PUBLISHED - CLASSIFIER
    assert len(BLOCKS) == 16


def test_a_public_file_is_taken_over_whole(tmp_path):
    torch.manual_seed(0)
    public = {name: torch.rand(shape) for name, shape in published_shapes().items()}
    public |= {"classifier.1.weight": torch.rand(1000, 1280), "classifier.1.bias": torch.rand(1000)}
    torch.save(public, tmp_path / "efficientnet_b0.pth")

    class Single(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = EfficientNet()

    single = Single()
    assert initialise(single, tmp_path / "efficientnet_b0.pth") == 358
    name = "features.6.1.block.2.fc2.bias"
    torch.testing.assert_close(single.backbone.state_dict()[name], public[name])


@pytest.mark.parametrize(("width", "channels"), [(64, (24, 40, 112, 1280)), (16, (8, 8, 32, 320))])
def test_maps_stand_where_resnets_do(width, channels):
    network = EfficientNet(width).eval()
    maps = network(torch.rand(1, 3, 64, 96))
    assert [tuple(one.shape) for one in maps] == [(1, channels[k], 16 >> k, 24 >> k) for k in range(4)]
    assert network.outputs == channels[-1]


def test_features_come_in_eights():
    assert [scaled(32, width) for width in (64, 32, 16, 128, 1)] == [32, 16, 8, 64, 8]
    assert scaled(112, 40) == 72  # of 70


def drawn(module: nn.Module) -> dict:
    """The module's state, with statistics and weights of its norms drawn at random."""
    state = module.state_dict()
    for name, one in state.items():
        if one.ndim == 1:
            state[name] = torch.rand_like(one) + 0.5
    module.load_state_dict(state)
    return state


def normed(x: torch.Tensor, state: dict, name: str) -> torch.Tensor:
    """Batch normalisation by what was measured, written out."""
    mean, var, weight, bias = (
        state[f"{name}.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (var + 1e-5).sqrt() * weight + bias


def swish(x: torch.Tensor) -> torch.Tensor:
    return x / (1 + (-x).exp())


@pytest.mark.parametrize(("outputs", "growth", "side", "stride"), [(8, 6, 5, 1), (8, 1, 3, 1), (12, 6, 3, 2)])
def test_a_block_is_the_papers(outputs, growth, side, stride):
    """Expanded, each feature by itself, weighed by the picture's means, projected; a shortcut where shapes allow it."""
    torch.manual_seed(0)
    x, block = torch.randn(2, 8, 6, 6), Block(8, outputs, growth, side, stride).eval()
    state, y, place = drawn(block), x, 0
    if growth > 1:
        y, place = swish(normed(F.conv2d(y, state["block.0.0.weight"]), state, "block.0.1")), 1
    each = [
        F.conv2d(y[:, i : i + 1], state[f"block.{place}.0.weight"][i : i + 1], stride=stride, padding=side // 2)
        for i in range(8 * growth)
    ]
    y = swish(normed(torch.cat(each, 1), state, f"block.{place}.1"))
    means = y.mean((2, 3))
    names = [f"block.{place + 1}.{name}" for name in ("fc1", "fc2")]
    hidden = swish(means @ state[f"{names[0]}.weight"][..., 0, 0].T + state[f"{names[0]}.bias"])
    assert hidden.shape == (2, 2)  # a quarter of the block's inputs, not of what they grow to
    weights = hidden @ state[f"{names[1]}.weight"][..., 0, 0].T + state[f"{names[1]}.bias"]
    y = y / (1 + (-weights).exp())[..., None, None]
    y = normed(F.conv2d(y, state[f"block.{place + 2}.0.weight"]), state, f"block.{place + 2}.1")
    torch.testing.assert_close(block(x), y + x if (stride, outputs) == (1, 8) else y)


def test_in_training_a_branch_is_left_out_of_some_pictures_and_the_mean_stays():
    torch.manual_seed(0)
    x, block = torch.randn(1, 8, 4, 4), Block(8, 8, 6, 3, 1, dropped=0.25)
    whole = block.block.eval()(x)
    branch = block(x.expand(4000, -1, -1, -1)) - x
    gone = (branch == 0).flatten(1).all(1)
    torch.testing.assert_close(branch[~gone], (whole / 0.75).expand(int((~gone).sum()), -1, -1, -1))
    assert float(gone.float().mean()) == pytest.approx(0.25, abs=0.03)


def test_later_blocks_are_left_out_more_often():
    chances = [one.dropped for one in EfficientNet(8).modules() if isinstance(one, Block)]
    assert chances == [pytest.approx(0.2 * number / 16) for number in range(16)]
