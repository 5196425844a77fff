"""Bake one subject's skin: albedo, height and roughness of hand and bare arm in one atlas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry.mesh import vertex_normals, weld
from ..geometry.smooth import smoothstep
from ..hand.arm import arm_topology
from ..hand.asset import HandAsset
from ..hand.nails import nail_normals
from ..hand.shape import RestHand
from ..hand.skinning import dense_weights
from . import tone
from .anatomy import Anatomy, make_anatomy
from .appearance import HEIGHT_RANGE, SKIN_ROUGHNESS
from .canvas import Canvas
from .knuckles import knuckle_mask, paint_joints
from .marks import paint_hair, paint_spots
from .nails import nail_frames, paint_nails
from .noise import Noise, ridge
from .palm import paint_palm_lines
from .params import SkinParams, SkinSubject, draw_params
from .srgb import linear_to_srgb
from .texels import Surface, Texels, make_texels
from .vessels import paint_tendons, paint_veins, paint_wrist_veins

BAKER_VERSION = 3  # raise when the maps change: cached ones are then baked again

# Pads of the palm: centre and spread in palm coordinates, density of blood, lift in metres.
PADS = (
    ((1.02, 0.45), (0.26, 0.22), 0.030, 0.0),  # thenar
    ((0.05, 0.42), (0.20, 0.26), 0.045, 0.0),  # hypothenar
    ((0.02, 1.02), (0.13, 0.09), 0.035, 0.0005),  # at the roots of little, ring, middle and index finger
    ((0.33, 1.10), (0.11, 0.09), 0.035, 0.0005),
    ((0.68, 1.13), (0.11, 0.09), 0.035, 0.0005),
    ((1.00, 1.08), (0.12, 0.10), 0.030, 0.0003),
)


@dataclass(frozen=True)
class SkinMaps:
    """Square textures, row 0 at the top (v = 1)."""

    albedo: np.ndarray  # (R, R, 3) uint8 sRGB
    height: np.ndarray  # (R, R) uint16, `appearance.HEIGHT_RANGE` metres over the range, surface at 32768
    roughness: np.ndarray  # (R, R) uint8, 0..1


def make_surface(asset: HandAsset, vertices: np.ndarray, arm_vertices: np.ndarray | None) -> Surface:
    """The hand (2651, 3) at rest and, if given, its bare arm (Va, 3) in one mesh."""
    faces, uv, weights = asset.faces.astype(np.int64), asset.uv, dense_weights(asset).astype(np.float32)
    skin = ~asset.face_cap
    if arm_vertices is not None:
        arm_faces, arm_uv = arm_topology(asset)
        arm_weights = np.zeros((len(arm_vertices), 21), np.float32)
        arm_weights[:, 0] = 1.0
        faces = np.concatenate([faces, arm_faces.astype(np.int64) + len(vertices)])
        vertices, uv = np.concatenate([vertices, arm_vertices]), np.concatenate([uv, arm_uv])
        weights, skin = np.concatenate([weights, arm_weights]), np.concatenate([skin, np.ones(len(arm_faces), bool)])
    same = weld(vertices)
    return Surface(vertices, faces, uv, vertex_normals(vertices, same[faces[skin]])[same], weights, skin)


def _paint_base(canvas: Canvas, anatomy: Anatomy, params: SkinParams, roughness: float, noise: Noise) -> None:
    """Uneven pigment, blood under the skin, knuckles, and the relief too fine to be drawn line by line."""
    points, palmar, dorsal = anatomy.points, anatomy.palmar, anatomy.dorsal
    back = 1.0 - palmar
    slow, middle, fine = noise(points, 0.035), noise(points, 0.010), noise(points, 0.0032)
    canvas.melanin += params.uneven * back * (0.018 * slow + 0.012 * middle + 0.010 * fine)
    canvas.melanin -= 0.035 * smoothstep(0.1, -0.6, dorsal) * anatomy.arm  # the inner forearm is lighter
    blotch = smoothstep(0.0, 1.8, 0.7 * middle + 0.75 * noise(points, 0.0055))
    canvas.blood += (
        palmar * (params.mottling * 0.045 * (blotch - 0.3) + 0.010 * fine + 0.012 * slow) + 0.010 * middle * back
    )
    knuckles = knuckle_mask(anatomy)
    canvas.blood += 0.085 * params.redness * knuckles * (1.0 + 0.3 * middle)
    canvas.melanin += 0.095 * params.knuckle_pigment * knuckles * smoothstep(60.0, 0.0, params.ita)
    for finger in anatomy.fingers:
        end = finger.shape.lengths()[2]
        tip = (finger.at.bone == 2) * smoothstep(0.25 * end, 0.95 * end, finger.at.along)
        canvas.blood[finger.index] += params.redness * (0.050 + 0.035 * palmar[finger.index]) * tip
    _paint_pads(canvas, anatomy, params)
    relief = 0.6 * ridge(noise(points, 0.0017), 0.35) + 0.5 * ridge(noise(points, 0.0011), 0.4)
    canvas.height -= (0.000085 * back * params.wrinkles + 0.000055 * palmar) * relief
    canvas.height += 0.00008 * params.wrinkles * middle * back + 0.00003 * fine
    canvas.melanin += 0.020 * back * (relief - 0.4)
    own = roughness - 0.10 * params.oiliness
    canvas.roughness[:] = own + 0.03 * palmar + 0.025 * middle + 0.04 * (relief - 0.4)


def _paint_pads(canvas: Canvas, anatomy: Anatomy, params: SkinParams) -> None:
    """Fuller, redder pads: thenar, hypothenar, and at the fingers' roots."""
    plane = anatomy.hand_to_palm(anatomy.points)
    for centre, spread, blood, lift in PADS:
        bump = np.exp(-(((plane - centre) / spread) ** 2).sum(1)) * anatomy.palmar * (1.0 - anatomy.finger_weight)
        canvas.blood += params.redness * blood * bump
        canvas.height += lift * bump


def _compose(canvas: Canvas, anatomy: Anatomy, params: SkinParams) -> np.ndarray:
    """Linear sRGB (N, 3): densities on top of the base tones, the mean of the back brought to the requested tone."""
    back, palm = tone.ita_to_lab(params.ita), tone.palm_lab(params.ita)
    base = np.log10(np.stack([tone.lab_to_linear(back), tone.lab_to_linear(palm)])).astype(np.float32)
    depth = smoothstep(-60.0, 40.0, params.ita)  # blood shows less through dark skin, pigment more in its folds
    palmar, crease = anatomy.palmar[:, None], canvas.crease
    blood = (canvas.blood + 0.10 * crease) * (palmar[:, 0] + (1.0 - palmar[:, 0]) * (0.35 + 0.65 * depth))
    melanin = canvas.melanin + crease * (0.10 + 0.16 * (1.0 - depth)) * (0.8 + 0.2 * palmar[:, 0])
    density = melanin[:, None] * tone.MELANIN.astype(np.float32) + blood[:, None] * tone.BLOOD.astype(np.float32)
    density += 0.05 * crease[:, None]
    log_colour = base[0] + palmar * (base[1] - base[0]) - density
    measured = dorsum(anatomy)
    if measured.any():
        excess = np.log10(np.mean(10.0 ** log_colour[measured], axis=0)) - base[0]
        log_colour -= (1.0 - palmar) * excess.astype(np.float32)
    colour = 10.0**log_colour
    return colour + canvas.cover[:, None] * (canvas.colour_over - colour)


def dorsum(anatomy: Anatomy) -> np.ndarray:
    """Mask (N,) of the back of the hand without fingers and forearm, where the subject's tone is defined."""
    return (anatomy.dorsal > 0.5) & (anatomy.palmar < 0.02) & (anatomy.finger_weight < 0.2) & (anatomy.arm < 0.5)


def locate(
    asset: HandAsset, rest: RestHand, arm_rest: np.ndarray | None, resolution: int, noise: Noise
) -> tuple[Surface, Texels, Anatomy]:
    """Surface, texels and their anatomy; arm_rest (Va, 3) m, or None without an arm."""
    surface = make_surface(asset, rest.vertices, arm_rest)
    painted = surface.skin_faces
    texels = make_texels(surface.uv[painted], surface.faces[painted], resolution)
    directions = nail_normals(rest.vertices, asset.faces, asset.face_nail)
    return surface, texels, make_anatomy(surface, texels, rest.joints, directions, noise)


def bake(
    asset: HandAsset,
    rest: RestHand,
    arm_rest: np.ndarray | None,
    subject: SkinSubject,
    resolution: int = 1024,
    roughness: float = SKIN_ROUGHNESS,
) -> SkinMaps:
    """Paint the skin of one subject's hand at `rest` and bare arm (Va, 3), both in the hand frame, metres.

    `roughness` is that of skin which is not oily. The same subject, shape and roughness give the same bytes. Raises
    ValueError for a tone outside `tone.ITA_LIMITS`.
    """
    rng = np.random.default_rng(subject.skin_seed)
    params = draw_params(subject, rng)
    noise = Noise(rng)
    _, texels, anatomy = locate(asset, rest, arm_rest, resolution, noise)
    canvas = Canvas(len(anatomy.points))
    _paint_base(canvas, anatomy, params, roughness, noise)
    paint_joints(canvas, anatomy, params, noise, rng)
    paint_palm_lines(canvas, anatomy, params, noise, rng)
    paint_tendons(canvas, anatomy, params, noise)
    paint_veins(canvas, anatomy, params, rng)
    paint_wrist_veins(canvas, anatomy, params, rng)
    paint_spots(canvas, anatomy, params, noise, rng)
    paint_hair(canvas, anatomy, params, rng)
    paint_nails(canvas, anatomy, nail_frames(anatomy.fingers, rest.vertices, asset), params, noise)
    return _encode(canvas, anatomy, texels, params)


def _encode(canvas: Canvas, anatomy: Anatomy, texels: Texels, params: SkinParams) -> SkinMaps:
    albedo = np.rint(255.0 * linear_to_srgb(_compose(canvas, anatomy, params))).astype(np.uint8)
    height = np.clip(0.5 + canvas.height / HEIGHT_RANGE, 0.0, 1.0)
    rough = np.clip(canvas.roughness + 0.08 * canvas.crease, 0.05, 1.0)
    return SkinMaps(
        texels.image(albedo),
        texels.image(np.rint(65535.0 * height).astype(np.uint16)),
        texels.image(np.rint(255.0 * rough).astype(np.uint8)),
    )
