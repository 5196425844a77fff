"""Draw docs/images/rigs.jpg: two hands by the cameras of each rig but the ring, as a release of it renders them.

Run from the root of the repository: python -m docs.figures.rigs [--size 512] [--out FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.render_sample import render_sample
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import Release, load_release
from render_farm.planning.release_tables import FileSettings
from render_farm.planning.spec import Specs
from rigging.geometry.cameras import CameraSettings
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset

RIGS, VIEWS, SAMPLES = ("random", "egocentric", "wrist", "calibration"), 3, (0, 4)  # of different subjects
SHOWN = 224  # pixels of a view in the picture


def dome(path: Path) -> None:
    """A calibration as of a lab: cameras on an arc, 0.8 m from where they look, pictures of 640 x 480 px."""
    poses = np.tile(np.eye(4), (VIEWS, 1, 1))
    for view, pose in enumerate(poses):
        turn, drop = 1.4 * view, -0.5 * (view % 2)
        forward = np.array([np.cos(turn) * np.cos(drop), np.sin(turn) * np.cos(drop), np.sin(drop)])
        right = np.cross(forward, [0, 0, 1]) / np.cos(drop)
        pose[:3, :3], pose[2, 3] = [right, np.cross(forward, right), forward], 0.8
    K = np.tile([[610.0, 0, 323], [0, 612, 238], [0, 0, 1]], (VIEWS, 1, 1))
    path.write_text(json.dumps({"K": K.tolist(), "world_to_cam": poses.tolist(), "image_size": [640, 480]}))


def release_of(rig: str, size: int, folder: Path) -> Release:
    """The release `anywhere`, small and with these cameras."""
    base = load_release("anywhere")
    dome(folder / "dome.json")
    calibration = str(folder / "dome.json") if rig == "calibration" else ""
    return dataclasses.replace(
        base,
        name=rig,
        samples=8,
        shard_size=8,
        poses=dataclasses.replace(base.poses, candidates=400),
        subjects=dataclasses.replace(base.subjects, count=4, run=1),
        cameras=CameraSettings(views=VIEWS, image_size=size, rig=rig),
        render=dataclasses.replace(base.render, width=size, height=size, samples_per_pixel=4, crosscheck=0.0),
        files=FileSettings(calibration=calibration),
    )


def main() -> None:
    """Render and write the picture: a row for each rig, two hands beside each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="pixels of a view as rendered (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "images" / "rigs.jpg")
    options = parser.parse_args()
    asset, rows, studio = load_asset(), [], None
    with tempfile.TemporaryDirectory() as folder:
        for rig in RIGS:
            release = release_of(rig, options.size, Path(folder))
            plan = ensure_plan(release, Path(folder) / rig)
            studio = studio or Studio(asset, *arm_topology(asset), release.render)
            specs = Specs(plan, release, asset, tuple(studio.hdris.files), Path(folder))
            views = [render_sample(studio, specs.spec(sample), release.render)["rgb"] for sample in SAMPLES]
            rows.append(np.concatenate(list(np.concatenate(views)), axis=1))
            print(f"{rig}: rendered", flush=True)
    sheet = np.concatenate(rows)
    if options.size > SHOWN and options.out.suffix == ".jpg":
        sheet = cv2.resize(sheet, None, fx=SHOWN / options.size, fy=SHOWN / options.size, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(options.out), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
