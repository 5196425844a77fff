"""A posed hand becomes a record: eight photographs and their exact labels."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cycles.crosscheck import crosscheck_view, require_agreement
from .cycles.framing import covering_box
from .cycles.scene import Studio
from .labels.coverage import composite, pixel_coverage
from .labels.labels import make_labels
from .looks.backgrounds import develop, make_backgrounds
from .looks.exposure import camera_gains, scene_light, skin_reflectance
from .looks.look import Look
from .settings import RenderSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleSpec:
    """What the plan decides about a sample, with its poses worked out (world frame, metres).

    `posed`, `previous` and `following` have `vertices` (2651, 3), `joints` (21, 3) and `arm_vertices` (Va, 3), as
    `rigging.spin.posed.PosedHand`; `cameras` has `K` (V, 3, 3) pixels and `world_to_cam` (V, 4, 4); `skin` has
    `albedo`, `height` and perhaps `roughness`, as `rigging.skin.SkinMaps`.
    """

    posed: Any
    previous: Any | None
    following: Any | None
    cameras: Any
    skin: Any
    look: Look
    seed: int  # of Cycles' sampling
    metadata: Mapping[str, Any]  # goes into the record as it is; `sample` names it in errors
    left: bool = False  # a mirrored hand


def render_sample(studio: Studio, spec: SampleSpec, settings: RenderSettings) -> dict[str, Any]:
    """Render a sample: the fields of schema version 1. The same spec gives the same bytes, in any order.

    Raises `crosscheck.CrossCheckError` if Cycles sees another surface than the labels.
    """
    K, world_to_cam = np.asarray(spec.cameras.K, float), np.asarray(spec.cameras.world_to_cam, float)
    vertices, joints = _body(spec.posed), _stored(spec.posed.joints)
    studio.use(settings)
    panorama, light, gains = _light(studio, spec)

    with ThreadPoolExecutor(1) as pool:  # labels and backgrounds are made while Cycles renders
        labels = pool.submit(_labels, studio, spec, vertices, joints, K, world_to_cam)
        backgrounds = pool.submit(make_backgrounds, spec.look, panorama, gains, light, K, world_to_cam,
                                  (settings.width, settings.height), studio.photos)  # fmt: skip
        set_stage(studio, spec, vertices, light)
        hands, passes = render_views(studio, vertices, K, world_to_cam, spec.seed)
        (labels, coverage), backgrounds = labels.result(), backgrounds.result()

    _crosscheck(spec, settings, labels, passes)
    grain = np.random.default_rng(spec.seed)
    pictures = [
        develop(composite(*view, gains), spec.look.lens_blur, spec.look.noise, grain)
        for view in zip(hands, coverage, backgrounds)
    ]
    hand_count = len(spec.posed.vertices)
    return {
        "rgb": np.stack(pictures),
        "alpha": (coverage * 255 + 0.5).astype(np.uint8),
        **labels,
        "joints_world": joints.astype(np.float32),
        "vertices_world": vertices[:hand_count].astype(np.float32),
        "arm_vertices_world": vertices[hand_count:].astype(np.float32),
        "K": K,
        "world_to_cam": world_to_cam,
        **spec.metadata,
        "light": spec.look.light_json(),
        "background": spec.look.background_json(),
        "arm_style": spec.look.arm_style,
    }


def set_stage(studio: Studio, spec: SampleSpec, vertices: np.ndarray, light: np.ndarray) -> None:
    """Bring the scene into the state that `spec` asks for."""
    studio.set_body(spec.look.arm_style, spec.left, vertices)
    studio.set_skin(spec.skin.albedo, spec.skin.height, getattr(spec.skin, "roughness", None))
    if spec.look.arm_style == "sleeve":
        studio.set_cloth(spec.look.cloth)
    studio.set_light(light, spec.look.lamps)


def render_views(
    studio: Studio, vertices: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, seed: int
) -> tuple[np.ndarray, list]:
    """Render what `set_stage` has set: hands (V, H, W, 4) float32 linear premultiplied, and per view Cycles' label
    passes and box. The denoiser's guides are made while Cycles renders.
    """
    width, height = studio.settings.width, studio.settings.height
    hands, passes = np.zeros((len(K), height, width, 4), np.float32), []
    boxes = [covering_box(vertices, k, m, width, height, studio.settings.crop) for k, m in zip(K, world_to_cam)]
    with ThreadPoolExecutor(1) as pool:
        guides = [pool.submit(studio.guides, *view) for view in zip(K, world_to_cam, boxes)]
        for hand, k, m, box, guide in zip(hands, K, world_to_cam, boxes, guides):
            studio.set_camera(k, m, box)
            rendered = studio.render(seed)
            combined = studio.denoise(rendered.pop("Combined"), guide.result())
            hand[box.top : box.bottom, box.left : box.right] = combined
            passes.append((rendered, box))
    return hands, passes


def _light(studio: Studio, spec: SampleSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The whole panorama, the light around the hand (64, 128, 3), and the camera's gains (3,)."""
    look = spec.look
    light = scene_light(look, studio.hdris.light(look.hdri, look.rotation))
    return studio.hdris.panorama(look.hdri), light, camera_gains(look, light, skin_reflectance(spec.skin.albedo))


def _labels(
    studio: Studio, spec: SampleSpec, vertices: np.ndarray, joints: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The labels, and the covered share (V, H, W) of the pixels."""
    surface, size = studio.surface(spec.look.arm_style, spec.left), (studio.settings.width, studio.settings.height)
    neighbours = [None if pose is None else _body(pose) for pose in (spec.previous, spec.following)]
    labels = make_labels(surface, vertices, *neighbours, joints, K, world_to_cam, *size)
    seen = labels["parts"] > 0
    views = [pixel_coverage(vertices, surface.faces, *view) for view in zip(seen, K, world_to_cam)]
    return labels, np.stack(views)


def _crosscheck(spec: SampleSpec, settings: RenderSettings, labels: dict, passes: list) -> None:
    """Compare a share of the views, chosen by the sample's seed, with Cycles."""
    chosen = np.random.default_rng(spec.seed).random(len(passes)) < settings.crosscheck
    for view in np.flatnonzero(chosen):
        check = crosscheck_view(labels["parts"][view], labels["depth"][view], *passes[view])
        _log.debug("sample %s, view %d: %s", spec.metadata.get("sample"), view, check)
        require_agreement(check, spec.metadata.get("sample"), int(view))


def _body(posed: Any) -> np.ndarray:
    """Vertices (N, 3) of hand and arm, rounded as a shard stores them, float64."""
    return _stored(np.concatenate([posed.vertices, posed.arm_vertices]))


def _stored(points: np.ndarray) -> np.ndarray:
    return np.asarray(points, np.float32).astype(np.float64)
