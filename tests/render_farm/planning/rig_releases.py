"""Small releases of each rig, a calibration for one of them, and their samples as the checks see them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from blender_scripts.labels.hand import make_surface
from blender_scripts.looks.hdri import BLENDERS_OWN
from blender_scripts.render_sample import SampleSpec, label_sample
from dataset_tools.check.stored import Stored
from dataset_tools.check.surface import Topology
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import Release, load_release
from render_farm.planning.spec import Specs
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset

TEXT = """
name = "rigs"
seed = 11
samples = 8
shard_size = 8
hand = "{hand}"
[poses]
candidates = 120
[subjects]
count = 2
run = 2
skin_resolution = 256
[cameras]
rig = "{rig}"
views = {views}
image_size = 96
"""
SIZE = 96
RIGS = ("random", "egocentric", "wrist", "calibration")


def calibration_file(folder: Path, views: int) -> Path:
    """Cameras half a metre around a place, whose pictures are 400 x 300 px."""
    poses = np.tile(np.eye(4), (views, 1, 1))
    for view, pose in enumerate(poses):
        angle = 2 * np.pi * view / views
        c, s = np.cos(angle), np.sin(angle)
        pose[:3, :3], pose[:3, 3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]], (0, 0, 0.5)
    K = np.tile([[380.0, 0, 203], [0, 384, 149], [0, 0, 1]], (views, 1, 1))
    path = folder / "rig.json"
    path.write_text(json.dumps({"K": K.tolist(), "world_to_cam": poses.tolist(), "image_size": [400, 300]}))
    return path


def rig_release(folder: Path, rig: str, views: int = 3, more: str = "", hand: str = "right") -> Release:
    """A release of this rig; `more` is appended to its text."""
    text = TEXT.format(rig=rig, views=views, hand=hand) + more
    if rig == "calibration" and "[files]" not in more:
        text += f'[files]\ncalibration = "{calibration_file(folder, views)}"\n'
    path = folder / "rigs.toml"
    path.write_text(text)
    return load_release(str(path))


def specs_of(release: Release, folder: Path) -> Specs:
    """The specs of a release that is planned in `folder`."""
    plan = ensure_plan(release, folder / release.name)
    return Specs(plan, release, load_asset(), tuple(BLENDERS_OWN), folder / "cache")


def stored(release: Release, spec: SampleSpec) -> Stored:
    """A sample as the checks see it, labelled without Blender."""
    asset, (arm_faces, _) = load_asset(), arm_topology(load_asset())
    surface = make_surface(asset, arm_faces, spec.look.arm_shape != "sleeve", spec.left)
    values, _ = label_sample(surface, spec, (SIZE, SIZE))
    values |= {"K": spec.cameras.K, "world_to_cam": spec.cameras.world_to_cam}
    values |= {
        name: np.asarray(points, np.float32)
        for name, points in (("joints_world", spec.posed.joints), ("vertices_world", spec.posed.vertices),
                             ("arm_vertices_world", spec.posed.arm_vertices))
    }  # fmt: skip
    topology = Topology(asset.faces, arm_faces, asset.face_part, len(asset.template))
    attrs = {"configuration": {"release": json.loads(release.to_json())}, "joint_names": list(map(str, range(21)))}
    return Stored(values, dict(spec.metadata), topology, attrs)
