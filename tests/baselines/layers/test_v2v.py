"""V2V: shapes at every size, and a shift of what is in the volume shifts what comes out."""

from __future__ import annotations

import pytest
import torch

from baselines.layers.v2v import V2V, VolumeHourglass, VolumeResidual


@pytest.mark.parametrize(("depth", "side"), [(1, 4), (2, 8), (3, 8)])
def test_volumes_keep_their_side(depth, side):
    network = V2V(inputs=3, joints=5, width=8, depth=depth).eval()
    assert network(torch.rand(2, 3, side, side, side)).shape == (2, 5, side, side, side)


def test_a_residual_is_two_convolutions_and_a_shortcut():
    torch.manual_seed(0)
    block, x = VolumeResidual(2, 3).eval(), torch.randn(1, 2, 4, 4, 4)
    conv = torch.nn.functional.conv3d
    scale = (1 + 1e-5) ** -0.5  # norms of eval mode, as drawn
    y = (scale * conv(x, block.branch[0].weight, padding=1)).relu()
    y = scale * conv(y, block.branch[3].weight, padding=1) + scale * conv(x, block.skip[0].weight)
    torch.testing.assert_close(block(x), y.relu())


@pytest.mark.parametrize(("network", "sizes", "reach"), [(VolumeResidual, (4, 4), 2), (VolumeHourglass, (1, 4, 8), 13)])
def test_the_hourglass_sees_far_and_a_residual_its_surroundings(network, sizes, reach):
    """Six convolutions on halves of voxels reach 2 x 6 + 1 voxels, two on voxels 2. No rectifier is shut."""
    torch.manual_seed(0)
    network = network(*sizes).eval()
    for weight in network.parameters():
        weight.data.abs_()
    x = torch.rand(1, 4, 16, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, :, 0, 0, 0].sum(), x)
    touched = gradient[0].abs().sum(0).nonzero().amax(0)
    assert touched.tolist() == [reach] * 3


def test_what_moves_by_a_coarsest_voxel_comes_out_moved():
    torch.manual_seed(0)
    network = V2V(inputs=2, joints=3, width=4, depth=1).eval()
    x = torch.zeros(1, 2, 32, 32, 32)
    x[..., 12:20, 12:20, 12:20] = torch.rand(8, 8, 8)
    moved = network(x.roll((2, -2, 4), (2, 3, 4)))
    inner = (slice(None),) * 2 + (slice(13, 18),) * 3
    torch.testing.assert_close(moved.roll((-2, 2, -4), (2, 3, 4))[inner], network(x)[inner], atol=1e-5, rtol=1e-4)
