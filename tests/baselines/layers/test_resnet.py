"""ResNets: torchvision's names and sizes, blocks as the paper draws them, and weights of its files taken over."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from baselines.layers.resnet import MEAN, SPREAD, BasicBlock, Bottleneck, ResNet, deconvolutions

PUBLISHED = {  # depth: parameters and tensors of torchvision's state without `fc`
    18: (11_689_512 - 513_000, 122 - 2),
    34: (21_797_672 - 513_000, 218 - 2),
    50: (25_557_032 - 2_049_000, 320 - 2),
    101: (44_549_160 - 2_049_000, 626 - 2),
    152: (60_192_808 - 2_049_000, 932 - 2),
}


@pytest.mark.parametrize("depth", PUBLISHED)
def test_networks_have_the_published_sizes(depth):
    with torch.device("meta"):
        network = ResNet(depth)
    assert (sum(one.numel() for one in network.parameters()), len(network.state_dict())) == PUBLISHED[depth]


def test_names_are_torchvisions():
    state = ResNet(50, width=8).state_dict()
    shapes = {
        "conv1.weight": (8, 3, 7, 7),
        "bn1.running_var": (8,),
        "layer1.0.downsample.0.weight": (32, 8, 1, 1),
        "layer1.0.downsample.1.bias": (32,),
        "layer2.0.conv2.weight": (16, 16, 3, 3),
        "layer3.5.conv3.weight": (128, 32, 1, 1),
        "layer4.2.bn3.num_batches_tracked": (),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    basic = ResNet(18, width=8).state_dict()
    assert "layer1.0.downsample.0.weight" not in basic and "layer2.0.downsample.0.weight" in basic


@pytest.mark.parametrize(("depth", "growth"), [(18, 1), (50, 4)])
def test_maps_halve_and_features_double(depth, growth):
    maps = ResNet(depth, width=4).eval()(torch.rand(2, 3, 64, 96))
    assert [tuple(one.shape) for one in maps] == [(2, 4 * 2**k * growth, 16 >> k, 24 >> k) for k in range(4)]


def normed(x: torch.Tensor, state: dict, name: str) -> torch.Tensor:
    """Batch normalisation by what was measured, written out."""
    mean, var, weight, bias = (
        state[f"{name}.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (var + 1e-5).sqrt() * weight + bias


def drawn(module: nn.Module) -> dict:
    """The module's state, with statistics and weights of its norms drawn at random."""
    state = module.state_dict()
    for name, one in state.items():
        if one.ndim == 1:
            state[name] = torch.rand_like(one) + 0.5
    module.load_state_dict(state)
    return state


def test_a_basic_block_is_two_convolutions_and_a_shortcut():
    torch.manual_seed(0)
    block, x = BasicBlock(3, 5, 2).eval(), torch.randn(2, 3, 8, 8)
    state = drawn(block)
    y = normed(F.conv2d(x, state["conv1.weight"], stride=2, padding=1), state, "bn1").relu()
    y = normed(F.conv2d(y, state["conv2.weight"], padding=1), state, "bn2")
    short = normed(F.conv2d(x, state["downsample.0.weight"], stride=2), state, "downsample.1")
    torch.testing.assert_close(block(x), (y + short).relu())


def test_a_bottleneck_strides_at_its_middle():
    torch.manual_seed(0)
    block, x = Bottleneck(8, 2, 2).eval(), torch.randn(2, 8, 6, 6)
    state = drawn(block)
    y = normed(F.conv2d(x, state["conv1.weight"]), state, "bn1").relu()
    y = normed(F.conv2d(y, state["conv2.weight"], stride=2, padding=1), state, "bn2").relu()
    y = normed(F.conv2d(y, state["conv3.weight"]), state, "bn3")
    short = normed(F.conv2d(x, state["downsample.0.weight"], stride=2), state, "downsample.1")
    torch.testing.assert_close(block(x), (y + short).relu())


def test_pictures_are_normalised_as_imagenets_are():
    """A picture of the mean colour is 0 to the first convolution, and one spread more is 1."""
    network = ResNet(18, width=4).eval()
    nn.init.ones_(network.conv1.weight)
    colour = torch.tensor(MEAN) + torch.tensor(SPREAD)
    seen = []
    network.conv1.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    network(torch.tensor(MEAN)[None, :, None, None].expand(1, 3, 32, 32))
    network(colour[None, :, None, None].expand(1, 3, 32, 32))
    torch.testing.assert_close(seen[0], torch.zeros(1, 3, 32, 32), atol=1e-6, rtol=0)
    torch.testing.assert_close(seen[1], torch.ones(1, 3, 32, 32))


def test_deconvolutions_make_a_map_eight_times_as_large():
    head = deconvolutions(6, 4)
    assert head(torch.rand(2, 6, 2, 3)).shape == (2, 4, 16, 24)
    assert [tuple(one.weight.shape) for one in head if isinstance(one, nn.ConvTranspose2d)] == [
        (6, 4, 4, 4),
        (4, 4, 4, 4),
        (4, 4, 4, 4),
    ]
