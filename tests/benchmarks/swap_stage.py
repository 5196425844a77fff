"""Hands of a release, bare-armed and in a sleeve, and backgrounds of three kinds: staged in linear light.

Everything else of a pair stays: pose, skin, light, cameras, exposure. So whatever differs between two compositions is
due to the one thing that was swapped.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.backgrounds import make_backgrounds
from blender_scripts.looks.exposure import camera_gains, scene_light, skin_reflectance
from blender_scripts.looks.look import ARM_STYLES
from blender_scripts.render_sample import SampleSpec, label_sample, render_views, set_stage
from dataset_tools.progress import Progress
from dataset_tools.statistics.directions import palm_axes
from render_farm.planning.plan import load_plan
from render_farm.planning.release import planned_release
from render_farm.planning.spec import Specs
from rigging.files import atomic_file
from rigging.geometry.cameras import Cameras, palm_frame
from rigging.geometry.rotations import normalise
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset
from rigging.joints import ARM_PART
from rigging.spin.posed import place_hands, pose_hands

KINDS = {  # of backgrounds: changes of the look
    "panorama": {"background": "hdri"},
    "room": {"background": "clutter", "rooms": "plain"},
    "lived-in room": {"background": "clutter", "rooms": "lived-in"},
}


def stage(folder: Path, out: Path, pairs: int, step: int, cache: Path) -> None:
    """Stage the first sample of `pairs` pairs of the release in `folder`, evenly apart; every `step`th view.

    What is there already is kept, so a run that was interrupted goes on.
    """
    plan = load_plan(folder / "plan.npz")
    release = planned_release(plan.release, folder / "plan.npz")
    asset = load_asset()
    studio = Studio(asset, *arm_topology(asset), dataclasses.replace(release.render, threads=1))
    specs = Specs(plan, release, asset, tuple(studio.hdris.files), cache)
    out.mkdir(parents=True, exist_ok=True)
    chosen = np.unique(np.linspace(0, len(plan.split) - 1, pairs).astype(int)).tolist()
    with Progress("staging", len(chosen), "pair") as progress:
        for pair in chosen:
            if not (path := out / f"pair-{pair:05d}.npz").exists():
                arrays = staged_pair(studio, specs, pair, step)
                with atomic_file(path) as file:
                    np.savez_compressed(file, **arrays)
            progress.add(1)


def staged_pair(studio: Studio, specs: Specs, pair: int, step: int) -> dict[str, np.ndarray]:
    """Arrays of a pair: `hand_STYLE` (V, H, W, 4), `coverage_STYLE` (V, H, W), `parts_STYLE`, `KIND`, ..."""
    spec = specs.spec(pair * specs.plan.poses_per_pair)
    cameras = Cameras(spec.cameras.K[::step], spec.cameras.world_to_cam[::step], spec.cameras.image_size)
    spec = dataclasses.replace(spec, cameras=cameras)
    light = scene_light(spec.look, studio.hdris.light(spec.look.hdri, spec.look.rotation))
    gains = camera_gains(spec.look, light, skin_reflectance(spec.skin.albedo))
    out = {
        "gains": gains, "lens_blur": spec.look.lens_blur, "subject": spec.metadata["subject"],
        "ita": spec.metadata["ita"], "arm": spec.look.arm_style, "kind": spec.look.background,
        "toward": _toward(spec), "hand": spec.metadata["hand"], "joints_world": spec.posed.joints,
        "K": cameras.K, "world_to_cam": cameras.world_to_cam,
    }  # fmt: skip
    for style in ARM_STYLES:
        out |= _rendered(studio, _with_arm(specs, spec, pair, style), light, style)
    panorama, size = studio.hdris.panorama(spec.look.hdri), (cameras.image_size,) * 2
    for kind, changes in KINDS.items():
        look = dataclasses.replace(spec.look, **changes)
        views = make_backgrounds(look, panorama, gains, light, cameras.K, cameras.world_to_cam, size)
        out[kind] = views.astype(np.float16)
    return {name: np.asarray(value) for name, value in out.items()}


def _with_arm(specs: Specs, spec: SampleSpec, pair: int, style: str) -> SampleSpec:
    """The sample with another arm at the same wrist."""
    plan, release = specs.plan, specs.release
    body, joints = specs.body(int(plan.subject[pair])), plan.joints[pair]
    how = {"mode": release.spin_mode, "retarget": release.retarget, "skinning": release.skinning}
    hands = pose_hands(specs.asset, body.rest, body.arms[style], joints, plan.wrist[pair], **how)
    hands, _ = place_hands(hands, joints, plan.up[pair], spec.left)
    look = dataclasses.replace(spec.look, arm_style=style, cuff=0.0)
    return dataclasses.replace(spec, posed=hands[0], previous=None, following=None, look=look)


def _rendered(studio: Studio, spec: SampleSpec, light: np.ndarray, style: str) -> dict[str, np.ndarray]:
    vertices = np.concatenate([spec.posed.vertices, spec.posed.arm_vertices]).astype(np.float32).astype(float)
    set_stage(studio, spec, vertices, light)
    hands, _ = render_views(studio, vertices, spec.cameras.K, spec.cameras.world_to_cam, spec.seed)
    size = (spec.cameras.image_size,) * 2
    labels, coverage = label_sample(studio.bodies.surface(style, spec.left), spec, size)
    shown = np.where(labels["parts"] == ARM_PART, 2, labels["parts"] > 0).astype(np.uint8)  # 1: hand, 2: arm
    return {f"hand_{style}": hands.astype(np.float16), f"coverage_{style}": coverage, f"shown_{style}": shown}


def _toward(spec: SampleSpec) -> np.ndarray:
    """(V, 3) directions to the cameras in the palm's axes, as statistics have them."""
    centre, _ = palm_frame(spec.posed.joints)
    return normalise(spec.cameras.centres - centre) @ palm_axes(spec.posed.joints, spec.metadata["hand"])
