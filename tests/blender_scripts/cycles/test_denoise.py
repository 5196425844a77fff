"""The denoiser's guides are what Cycles itself sees at many samples, and the denoiser takes noise away, not detail."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from blender_scripts.cycles.denoise import _QUALITIES, Denoiser
from blender_scripts.cycles.framing import Box
from blender_scripts.cycles.guides import surface_maps
from blender_scripts.cycles.passes import render_passes
from blender_scripts.looks.colour import srgb_to_linear
from blender_scripts.looks.look import Cloth
from rigging.skin.bake import SkinMaps

WHOLE = Box(0, 0, 96, 96)


def wavy_skin():
    """Colours and a relief with waves of some pixels' length, so that a map that is turned or mirrored shows."""
    v, u = np.meshgrid(np.arange(256) / 256, np.arange(256) / 256, indexing="ij")
    waves = np.sin(2 * np.pi * (6 * u + 3 * v))
    albedo = np.stack([150 + 60 * u, 110 + 60 * v, 90 + 40 * waves], -1).astype(np.uint8)
    height = (32768 + 12000 * waves).astype(np.uint16)
    return SkinMaps(albedo, height, np.full((256, 256), 115, np.uint8))


VARIANTS = {"bare": ("bare", False), "sleeve": ("sleeve", False), "left": ("bare", True), "rolled": ("rolled", True)}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def guides_and_passes(request, studio, workshop, settings):
    """Our guides of a view, and Cycles' passes at 32 samples."""
    style, left = request.param
    skin, cameras = wavy_skin(), workshop.cameras()
    studio.use(dataclasses.replace(settings, samples_per_pixel=32))
    studio.set_body(style, left, workshop.vertices(workshop.pose(0.4, style, left)))
    studio.set_skin(skin)
    studio.set_cloth(Cloth("striped", ((0.2, 0.3, 0.5), (0.8, 0.8, 0.7), (0.5, 0.1, 0.1)), 1.0, 5))
    studio.set_light(np.ones((64, 128, 3), np.float32), ())
    studio.set_camera(cameras.K[0], cameras.world_to_cam[0])
    store = studio.scene.view_layers[0].cycles
    store.denoising_store_passes = True
    studio.scene.update_tag()
    try:
        passes = render_passes(studio.scene, ("Combined", "Denoising Albedo", "Denoising Normal"))
    finally:
        store.denoising_store_passes = False
        studio.use(settings)
    return studio.guides(cameras.K[0], cameras.world_to_cam[0], WHOLE), passes


def test_guides_are_what_cycles_sees(guides_and_passes):
    guides, passes = guides_and_passes
    alpha = passes["Combined"][..., 3]
    inside = cv2.erode((alpha > 0.999).astype(np.uint8), np.ones((3, 3))) > 0
    assert inside.sum() > 800
    assert np.abs(guides.coverage - alpha).mean() < 0.004  # box-filtered it would be some 0.006
    assert np.abs(guides.coverage[inside] - 1).max() < 1e-5
    error = np.abs(guides.normals - passes["Denoising Normal"])[inside]
    assert np.median(error, axis=0).max() < 0.02
    for channel in range(3):  # Cycles' albedo includes the share that the skin mirrors, which is the same everywhere
        ours, theirs = guides.albedo[inside][:, channel], passes["Denoising Albedo"][inside][:, channel]
        assert np.corrcoef(ours, theirs)[0, 1] > 0.9


def test_guides_of_a_box_are_a_part_of_the_whole(studio, workshop, settings):
    studio.use(settings)
    studio.set_body("bare", False, workshop.vertices(workshop.pose(0.4)))
    studio.set_skin(workshop.skin)
    K, world_to_cam = workshop.cameras().K[0], workshop.cameras().world_to_cam[0]
    whole, part = (studio.guides(K, world_to_cam, box) for box in (WHOLE, Box(16, 32, 80, 64)))
    for name in ("albedo", "normals", "coverage"):
        inner = getattr(whole, name)[33:63, 17:79]  # the part's border knows nothing of what lies beyond it
        assert np.allclose(inner, getattr(part, name)[1:-1, 1:-1], atol=1e-4), name
    filled = studio.guides(K * [[15, 1, 1], [1, 15, 1], [1, 1, 1]], world_to_cam, WHOLE).coverage  # the palm fills it
    assert np.allclose(filled, 1, atol=1e-5)


def test_without_denoiser_the_render_stays_as_it_is(studio, workshop, settings):
    studio.use(dataclasses.replace(settings, denoiser_quality="NONE"))
    combined = np.random.default_rng(0).random((96, 96, 4)).astype(np.float32)
    cameras = workshop.cameras()
    assert studio.denoise(combined, studio.guides(cameras.K[0], cameras.world_to_cam[0], WHOLE)) is combined


def test_maps_hold_linear_albedo_and_the_slope_along_u_and_v():
    rows, columns = np.meshgrid(np.arange(512), np.arange(512), indexing="ij")
    height = (3 * columns - 2 * rows).astype(np.float32)  # v grows upwards, rows downwards
    maps = surface_maps(np.full((512, 512, 3), 200, np.uint8), height, np.float32(0.001))
    assert np.allclose(maps[..., :3], srgb_to_linear(np.uint8(200)))
    assert np.allclose(maps[1:-1, 1:-1, 3], 0.001 * 3 * 512, rtol=1e-4)
    assert np.allclose(maps[1:-1, 1:-1, 4], 0.001 * 2 * 512, rtol=1e-4)


def noisy_edge():
    albedo = np.full((64, 80, 3), 0.6, np.float32)
    albedo[:, 37:] = 0.2
    normals = np.broadcast_to(np.float32([0, 0, -1]), albedo.shape)
    noise = np.random.default_rng(0).exponential(1.0, albedo.shape).astype(np.float32)
    return albedo * noise, albedo, normals


@pytest.mark.parametrize("quality", ["FAST", "BALANCED", "HIGH"])
def test_noise_goes_and_edges_of_the_guides_stay(quality):
    colour, albedo, normals = noisy_edge()
    clean = Denoiser(1)(colour, albedo, normals, quality)
    assert np.sqrt(((clean - albedo) ** 2).mean()) < 0.15 * np.sqrt(((colour - albedo) ** 2).mean())
    assert (clean[:, 36] - clean[:, 37]).mean() > 0.3


def test_the_number_of_threads_does_not_change_the_bytes():
    arguments = (*noisy_edge(), "BALANCED")
    first = Denoiser(1)(*arguments)
    assert np.array_equal(first, Denoiser(2)(*arguments))
    assert np.array_equal(first, Denoiser(0)(*arguments))


def test_wrong_input_and_errors_of_the_library_are_told(monkeypatch):
    colour, albedo, normals = noisy_edge()
    with pytest.raises(ValueError, match=r"\(64, 40, 3\)"):
        Denoiser(1)(colour, albedo[:, :40], normals, "FAST")
    monkeypatch.setitem(_QUALITIES, "WORST", 77)
    with pytest.raises(RuntimeError, match="Open Image Denoise"):
        Denoiser(1)(colour, albedo, normals, "WORST")
