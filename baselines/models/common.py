"""What estimators of one hourglass and one latent feature share: checks, losses of joints, the hand's size."""

from __future__ import annotations

from torch import Tensor, nn

from rigging.errors import InputError

from ..batch import Batch
from ..estimator import Estimator, Output
from ..geometry.camera import bone_lengths
from ..layers.heatmap import gaussian_maps
from ..layers.image_encoder import LATENT
from ..losses import heatmap_loss, size_loss
from ..mesh_losses import Reduction, pose_loss
from .uvd import lift_uvd, true_root, true_scale


def check_size(estimator: Estimator, batch: Batch) -> None:
    """Raises InputError for crops of another size than the estimator's `config.size`."""
    if batch.size != estimator.config.size:
        raise InputError(
            f"{estimator.name}: crops of {batch.size} px, the estimator is made for {estimator.config.size}"
        )


def heatmap_losses(output: Output, batch: Batch, sigma: float, reduction: Reduction) -> dict[str, Tensor]:
    """`heatmap`, Ge's L_H: sum over the joints of |H - H^|^2 ("mean": over their number), averaged over stacks."""
    if "heatmaps" not in output or batch.joints_2d is None:
        return {}
    maps = output["heatmaps"]
    true = gaussian_maps(batch.joints_2d, batch.size, maps.shape[-1], sigma)
    loss = heatmap_loss(maps, true, batch.joint_valid)
    return {"heatmap": loss * maps.shape[2] if reduction == "sum" else loss}


def joint_losses(output: Output, batch: Batch, mean_bones: Tensor, reduction: Reduction) -> dict[str, Tensor]:
    """`pose`, Ge's L_J of `joints` (B, 21, 3) (u, v, d); `size`, ours, of `size` (B,). mean_bones (20,) m."""
    if "joints" not in output or batch.joints_cam is None:
        return {}
    valid = batch.joint_valid
    joints = lift_uvd(output["joints"], batch, true_scale(batch), true_root(batch))
    size = bone_lengths(batch.joints_cam).sum(1) / mean_bones.sum()
    return {
        "pose": pose_loss(joints, batch.joints_cam, valid, reduction),
        "size": size_loss(output["size"], size, None if valid is None else valid.all(1)),
    }


class SizeHead(nn.Module):
    """The latent feature to the hand's size (B,), ours; it starts at 1 and stays there until a stage learns it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width * LATENT**2, hidden)
        self.size = nn.Linear(hidden, 1)
        nn.init.zeros_(self.size.weight)
        nn.init.zeros_(self.size.bias)

    def forward(self, latent: Tensor) -> Tensor:
        """(B,) of latent (B, width LATENT^2)."""
        return self.size(self.hidden(latent).relu()).float().squeeze(1).exp()
