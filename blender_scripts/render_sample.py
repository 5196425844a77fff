"""A posed hand becomes a record: eight photographs and their exact labels."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from rigging.geometry.cameras import Cameras
from rigging.skin.bake import SkinMaps
from rigging.spin.posed import PosedHand

from .cycles.crosscheck import crosscheck_view, require_agreement
from .cycles.framing import clip_start, covering_box
from .cycles.scene import Studio
from .labels.coverage import composite, pixel_coverage
from .labels.hand import Surface, label_hand
from .labels.rasterise import view_vertices
from .labels.scene import check_lenses
from .looks.backgrounds import background_distance, blur, develop, make_backgrounds
from .looks.exposure import camera_gains, mean_light, scene_light, skin_reflectance
from .looks.hdri import HdriLibrary
from .looks.look import Look
from .looks.plates import Plates, make_plates
from .sensor.chain import record
from .sensor.defocus import focus_on
from .sensor.optics import Scene, through_lens
from .sensor.sensor import Sensor
from .settings import RenderSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleSpec:
    """What the plan decides about a sample, with its poses worked out (world frame, metres)."""

    posed: PosedHand
    previous: PosedHand | None
    following: PosedHand | None
    cameras: Cameras
    skin: SkinMaps
    look: Look
    seed: int  # of Cycles' sampling
    metadata: Mapping[str, object]  # goes into the record as it is; `sample` names it in errors
    left: bool = False  # a mirrored hand
    sensors: tuple[Sensor, ...] = ()  # of each camera; none: `develop` makes the pictures


def render_sample(studio: Studio, spec: SampleSpec, settings: RenderSettings) -> dict[str, object]:
    """Render a sample: the fields of schema version 1. The same spec gives the same bytes, in any order.

    Raises `crosscheck.CrossCheckError` if Cycles sees another surface than the labels.
    """
    size, world_to_cam = (settings.width, settings.height), np.asarray(spec.cameras.world_to_cam, float)
    vertices = _body(spec.posed)
    plates = make_plates(spec.cameras, size)
    studio.use(dataclasses.replace(settings, width=plates.size[0], height=plates.size[1]))
    panorama, light, gains = sample_light(studio.hdris, spec)

    with ThreadPoolExecutor(1) as pool:  # labels and backgrounds are made while Cycles renders
        surface = studio.bodies.surface(spec.look.arm_shape, spec.left)
        labels = pool.submit(label_sample, surface, spec, size)
        backgrounds = pool.submit(make_backgrounds, spec.look, panorama, gains, light, plates.K, world_to_cam,
                                  plates.size, studio.photos)  # fmt: skip
        set_stage(studio, spec, vertices, light)
        hands, passes = render_views(studio, vertices, plates.K, world_to_cam, spec.seed)
        (labels, coverage), backgrounds = labels.result(), backgrounds.result()

    _crosscheck(spec, settings.crosscheck, labels if plates.maps is None else _of_plates(surface, spec, plates), passes)
    return sample_record(spec, plates.seen(hands), plates.seen(backgrounds), coverage, labels, light, gains)


def sample_record(
    spec: SampleSpec, hands: np.ndarray, backgrounds: np.ndarray, coverage: np.ndarray, labels: dict[str, np.ndarray],
    light: np.ndarray, gains: np.ndarray,
) -> dict[str, object]:  # fmt: skip
    """The record of a rendered sample; arguments of `take_pictures`: (V, H, W, 4) and so on."""
    pictures = take_pictures(spec, hands, backgrounds, coverage, labels, light, gains)
    vertices, hand_count = _body(spec.posed), len(spec.posed.vertices)
    return {
        "rgb": np.stack(pictures),
        "alpha": (coverage * 255 + 0.5).astype(np.uint8),
        **{name: values for name, values in labels.items() if name != "mask"},  # which the loader takes from `parts`
        "joints_world": _stored(spec.posed.joints).astype(np.float32),
        "vertices_world": vertices[:hand_count].astype(np.float32),
        "arm_vertices_world": vertices[hand_count:].astype(np.float32),
        "K": np.asarray(spec.cameras.K, float),
        "world_to_cam": np.asarray(spec.cameras.world_to_cam, float),
        **({} if spec.cameras.distortion is None else {"distortion": spec.cameras.distortion}),
        **spec.metadata,
        "light": spec.look.light_json(spec.sensors),
        "background": spec.look.background_json(),
        "arm_style": spec.look.arm_style,
    }


def set_stage(studio: Studio, spec: SampleSpec, vertices: np.ndarray, light: np.ndarray) -> None:
    """Bring the scene into the state that `spec` asks for: vertices (V, 3) m of hand and arm, light (H, W, 3)."""
    studio.set_body(spec.look.arm_shape, spec.left, vertices)
    studio.set_skin(spec.skin)
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
            studio.set_camera(k, m, box, clip_start(vertices, k, m, width, height))
            rendered = studio.render(seed)
            combined = studio.denoise(rendered.pop("Combined"), guide.result())
            hand[box.top : box.bottom, box.left : box.right] = combined
            passes.append((rendered, box))
    return hands, passes


def take_pictures(
    spec: SampleSpec, hands: np.ndarray, backgrounds: np.ndarray, coverage: np.ndarray, labels: dict[str, np.ndarray],
    light: np.ndarray, gains: np.ndarray,
) -> list[np.ndarray]:  # fmt: skip
    """Pictures (H, W, 3) uint8 of all views, each by its camera's sensor if it has one.

    Args:
        hands: (V, H, W, 4) float32 as rendered. backgrounds: (V, H, W, 3) float32, exposed. coverage: (V, H, W).
        labels: of `label_sample`. light: (64, 128, 3) around the hand. gains: (3,) of the camera.
    """
    blur_of_lens, noise = spec.look.lens_blur, spec.look.noise
    if not spec.sensors:
        grain, views = np.random.default_rng(spec.seed), zip(hands, coverage, backgrounds)
        return [develop(composite(*view, gains), blur_of_lens, noise, grain) for view in views]
    scenes = make_scenes(spec, hands, backgrounds, coverage, labels, light, gains)
    return [
        record(blur(through_lens(scene, sensor), blur_of_lens), sensor, np.random.default_rng((spec.seed, view)))
        for view, (scene, sensor) in enumerate(zip(scenes, spec.sensors))
    ]


def make_scenes(
    spec: SampleSpec, hands: np.ndarray, backgrounds: np.ndarray, coverage: np.ndarray, labels: dict[str, np.ndarray],
    light: np.ndarray, gains: np.ndarray,
) -> list[Scene]:  # fmt: skip
    """What the V cameras have before them; arguments of `take_pictures`: (V, H, W, 4) and so on."""
    nothing, flow = np.zeros_like(backgrounds[0]), ("flow_forward", "flow_backward")
    flows = [labels[name] if labels[f"{name}_valid"] else [None] * len(hands) for name in flow]
    distance, surroundings = background_distance(spec.look), mean_light(light) * gains
    return [
        Scene(np.dstack([composite(hand, covered, nothing, gains), covered]), background, depth, both, K,
              focus_on(depth, mask), distance, surroundings)
        for hand, covered, background, depth, mask, both, K in zip(
            hands, coverage, backgrounds, labels["depth"], labels["mask"], zip(*flows), spec.cameras.K)
    ]  # fmt: skip


def sample_light(hdris: HdriLibrary, spec: SampleSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The whole panorama (H, W, 3), the light around the hand (64, 128, 3), and the camera's gains (3,)."""
    look = spec.look
    light = scene_light(look, hdris.light(look.hdri, look.rotation))
    return hdris.panorama(look.hdri), light, camera_gains(look, light, skin_reflectance(spec.skin.albedo))


def label_sample(surface: Surface, spec: SampleSpec, size: tuple[int, int]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The labels of `label_hand`, and the covered share (V, H, W) float32 of the pixels; no Blender is needed.

    Both belong to the mesh and joints as a shard stores them, rounded to float32. `size` is (width, height) pixels.
    """
    vertices, K, world_to_cam = _body(spec.posed), spec.cameras.K, spec.cameras.world_to_cam
    neighbours = [None if pose is None else _body(pose) for pose in (spec.previous, spec.following)]
    scene = (surface, vertices, _stored(spec.posed.joints), K, world_to_cam, size, *neighbours)
    labels = label_hand(*scene, distortion=spec.cameras.distortion)
    viewed = [view_vertices(vertices, *camera) for camera in zip(K, world_to_cam)]
    lenses = check_lenses(spec.cameras.distortion, K, size)
    views = [
        pixel_coverage(v, surface.faces, parts > 0, lens) for v, parts, lens in zip(viewed, labels["parts"], lenses)
    ]
    return labels, np.stack(views)


def _of_plates(surface: Surface, spec: SampleSpec, plates: Plates) -> dict[str, np.ndarray]:
    """The labels of what Cycles renders, which lenses have not distorted yet; without flow."""
    scene = (surface, _body(spec.posed), _stored(spec.posed.joints))
    return label_hand(*scene, plates.K, spec.cameras.world_to_cam, plates.size)


def _crosscheck(spec: SampleSpec, share: float, labels: dict, passes: list) -> None:
    """Compare a `share` of the views, chosen by the sample's seed, with Cycles."""
    chosen = np.random.default_rng(spec.seed).random(len(passes)) < share
    for view in np.flatnonzero(chosen):
        check = crosscheck_view(labels["parts"][view], labels["depth"][view], *passes[view])
        _log.debug("sample %s, view %d: %s", spec.metadata.get("sample"), view, check)
        require_agreement(check, spec.metadata.get("sample"), int(view))


def _body(posed: PosedHand) -> np.ndarray:
    """Vertices (N, 3) of hand and arm, rounded as a shard stores them, float64."""
    return _stored(np.concatenate([posed.vertices, posed.arm_vertices]))


def _stored(points: np.ndarray) -> np.ndarray:
    return np.asarray(points, np.float32).astype(np.float64)
