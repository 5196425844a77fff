"""Weak supervision of Ge et al. (CVPR 2019, section 4.4): their network fine-tuned on pictures with depth but no mesh.

A depth map can be had of real hands; at test time none is needed. What the paper does with 2D joints, and with the
labels' root depth and scale, is also there without any label (`_unlabelled`, ours). docs/training.md shows the ways.
"""

from __future__ import annotations

import copy
import dataclasses

import torch
from torch import Tensor, nn

from ..batch import Batch
from ..estimator import Output
from ..geometry.camera import SCALE_BONE
from ..layers.heatmap import gaussian_maps
from ..layers.raster import depth_map
from ..mesh_losses import depth_map_loss, edge_loss, laplacian_loss
from .ge_gcn import EVERY, Config, GeGraphCnn
from .uvd import lift_uvd, true_root, true_scale

SIDE = 32  # px, of the depth maps that are compared
EDGE, LAPLACIAN = 1.0, 50.0  # lambda_e and lambda_l of L_pM
LABELLED = frozenset({"depth_map", "pseudo_mesh"})
UNLABELLED = frozenset({"depth_map_unlabelled", "pseudo_mesh_unlabelled"})
TAUGHT = ("hourglass", "encoder", "mesh")  # parts that the teacher has, too


class GeWeak(GeGraphCnn):
    """As ge_gcn, and begun from a trained one (`--init`), which it keeps, frozen, as `teacher`. Output besides:

    depth             (B, 32, 32)    `depth_map`, L_D: the mesh's rendered depth, with the labels' root and scale
    pseudo            (B, 2651, 3)   `pseudo_mesh`, L_pM: (u, v, d) by the teacher from the labels' heat-maps
    depth_unlabelled  (B, 32, 32)    `depth_map_unlabelled`: the same with root and scale of `frame`
    pseudo_unlabelled (B, 2651, 3)   `pseudo_mesh_unlabelled`: by the teacher from its own heat-maps
    frame             (B, 2)         scale and depth of the root, m, from the sensor's depth and the size believed in;
                                     it serves `pseudo_mesh`, too, where joints have labels in pictures only

    Nothing looks at meshes of the labels. Depth is compared where both depth maps show the hand; so it moves vertices
    along the rays, and heat-maps and pseudo mesh hold them in the picture.
    """

    name = "ge_gcn_weak"
    fields = ("rgb", "K", "world_to_cam", "joints_2d", "joints_cam", "depth", "mask")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.teacher = nn.ModuleDict({name: copy.deepcopy(getattr(self, name)) for name in TAUGHT})
        self.register_load_state_dict_post_hook(_teach)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        wanted = EVERY | LABELLED | UNLABELLED if wanted is None else wanted
        weak = wanted & (LABELLED | UNLABELLED) if batch.depth is not None else frozenset()
        output = super().forward(batch, wanted | {"vertex"} if weak else wanted)
        if "depth_map" in weak and batch.joints_cam is not None:
            output["depth"] = rendered(output["mesh"], batch, true_scale(batch), true_root(batch), self.faces)
        if weak & UNLABELLED or (weak and batch.joints_cam is None):
            frame = self.solved_frame(output["mesh"], output["size"], batch)
            output["frame"] = torch.stack(frame, 1)
            output["depth_unlabelled"] = rendered(output["mesh"], batch, *frame, self.faces)
        return output | self.taught(batch, weak)

    @torch.no_grad()
    def taught(self, batch: Batch, weak: frozenset[str]) -> Output:
        """The teacher's meshes that the losses `weak` want; joints that have no label keep its own heat-maps."""
        if not any(name.startswith("pseudo") for name in weak):
            return {}
        parts, found = self.teacher, {}
        maps, given, features = parts["hourglass"](batch.rgb - 0.5)
        if "pseudo_mesh_unlabelled" in weak:
            found["pseudo_unlabelled"] = parts["mesh"](parts["encoder"](maps[:, -1], given, features))
        if "pseudo_mesh" in weak and batch.joints_2d is not None:
            true = gaussian_maps(batch.joints_2d, batch.size, maps.shape[-1], self.config.sigma)
            if batch.joint_valid is not None:
                true = torch.where(batch.joint_valid[..., None, None], true, maps[:, -1].float())
            found["pseudo"] = parts["mesh"](parts["encoder"](true, given, features))
        return found

    @torch.no_grad()
    def solved_frame(self, mesh: Tensor, size: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Scale and root depth (B,) m without labels, of (u, v, d) (B, 2651, 3) and sizes (B,).

        The scale is that of a hand of the size believed in. The root begins at the median of the sensor's depth and
        moves by the median difference to the rendered depth, where both see the hand.
        """
        scale, sensor = self.mean_bones[SCALE_BONE] * size, sampled(batch.depth)
        root = _median(sensor, sensor > 0)
        for _ in range(2):
            seen = rendered(mesh, batch, scale, root, self.faces)
            root = root + _median(sensor - seen, (sensor > 0) & (seen > 0))
        return scale, root

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found = super().losses(output, without_mesh(batch))
        for ending in ("", "_unlabelled"):
            if f"depth{ending}" in output:
                sensor = sampled(batch.depth)
                found[f"depth_map{ending}"] = depth_map_loss(output[f"depth{ending}"], sensor, self.config.reduction)
            if f"pseudo{ending}" in output:
                solved = ending or batch.joints_cam is None
                frame = output["frame"].unbind(1) if solved else (true_scale(batch), true_root(batch))
                mesh, pseudo = (lift_uvd(output[name], batch, *frame) for name in ("mesh", f"pseudo{ending}"))
                found[f"pseudo_mesh{ending}"] = self.pseudo_mesh_loss(mesh, pseudo)
        return found

    def pseudo_mesh_loss(self, vertices: Tensor, pseudo: Tensor) -> Tensor:
        """L_pM = lambda_e L_e + lambda_l L_l between meshes (B, 2651, 3) m: shapes agree, places may not."""
        edge, laplacian = (
            loss(vertices, pseudo, self.edges, self.config.reduction) for loss in (edge_loss, laplacian_loss)
        )
        return EDGE * edge + LAPLACIAN * laplacian


def rendered(mesh: Tensor, batch: Batch, scale: Tensor, root: Tensor, faces: Tensor) -> Tensor:
    """Depth (B, 32, 32) m at the pixels of `sampled`, 0 where there is no hand, of (u, v, d) (B, N, 3).

    scale and root (B,) m; faces (F, 3) int64.
    """
    step, first = _grid(batch.size)
    pixels = (mesh[..., :2] * batch.size - (first + 0.5)) / step + 0.5
    depth = mesh[..., 2:] * scale[:, None, None] + root[:, None, None]
    return depth_map(torch.cat([pixels, depth], -1), faces, SIDE)[0]


def sampled(depth: Tensor) -> Tensor:
    """(B, 32, 32) of depth (B, S, S) m: every S/32nd pixel as it is, as means would mix fingers with what is behind."""
    step, first = _grid(depth.shape[-1])
    return depth[:, first::step, first::step]


def without_mesh(batch: Batch) -> Batch:
    """The batch as if its meshes were not known."""
    return dataclasses.replace(batch, vertices_cam=None)


def _grid(size: int) -> tuple[int, int]:
    """Every which pixel of a crop is compared, from which on."""
    step = size // SIDE
    return step, step // 2


def _median(values: Tensor, valid: Tensor) -> Tensor:
    """(B,) medians of those values (B, h, w) that are valid (B, h, w); 0 of none."""
    return values.masked_fill(~valid, torch.nan).flatten(1).nanmedian(1).values.nan_to_num()


def _teach(student: GeWeak, loaded: object) -> None:
    """After weights were loaded: a teacher that they do not hold is the student as it now is."""
    if lacking := [name for name in loaded.missing_keys if name.startswith("teacher.")]:
        for name in TAUGHT:
            student.teacher[name].load_state_dict(getattr(student, name).state_dict())
        loaded.missing_keys[:] = [name for name in loaded.missing_keys if name not in lacking]
