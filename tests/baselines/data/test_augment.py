"""Augmentation: what each change does, to how many crops, the same bits for the same generator; labels stay true."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.batch import Batch
from baselines.config import Augment
from baselines.data import augment, backdrop
from baselines.data.jpeg import jpeg
from rigging.errors import InputError

CHANGES = {
    "background": lambda images, strength, g: augment.replace_background(images, an_alpha(images), strength, "", g),
    "erase": lambda images, strength, g: augment.erase(
        images, augment.rectangles(len(images), strength, images.shape[-1], g), g
    ),
    "spectrum": augment.mix_spectra,
    "colour": augment.change_colour,
    "blur": augment.blur,
    "noise": augment.add_noise,
    "jpeg": augment.compress,
}
OF_A_SHARE = ("background", "erase", "spectrum", "blur", "jpeg")


def pictures(count: int = 8, size: int = 32, seed: int = 0) -> torch.Tensor:
    """Smooth pictures (B, 3, S, S), 0 to 1, with some texture."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=g)
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)
    return (smooth + 0.05 * torch.randn(count, 3, size, size, generator=g)).clamp(0, 1)


def an_alpha(images: torch.Tensor) -> torch.Tensor:
    """(B, 1, S, S): a disc in the middle, soft at its edge."""
    size = images.shape[-1]
    steps = torch.arange(size) + 0.5 - size / 2
    radius = (steps[:, None] ** 2 + steps**2).sqrt()
    return ((size / 4 - radius) / 2 + 0.5).clamp(0, 1).expand(len(images), 1, size, size)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", CHANGES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**40), strength=st.floats(0.05, 1))
def test_the_generator_decides_every_bit(name, seed, strength):
    images = pictures()
    before = images.clone()
    new, again = (CHANGES[name](images, strength, seeded(seed)) for _ in range(2))
    assert torch.equal(new, again)
    assert torch.equal(images, before)
    assert new.min() >= 0 and new.max() <= 1 and new.shape == images.shape


@pytest.mark.parametrize("name", CHANGES)
def test_each_changes_crops_and_nothing_at_strength_zero(name, generator):
    images = pictures(200)
    assert torch.equal(CHANGES[name](images, 0.0, generator), images)
    changed = (CHANGES[name](images, 0.5, generator) != images).flatten(1).any(1).float().mean()
    assert 0.4 < changed < 0.6 if name in OF_A_SHARE else changed > 0.99


def test_all_together_are_a_function_of_the_generator(generator):
    images = pictures()
    batch = Batch(images, torch.eye(3), torch.eye(4), torch.zeros(8), torch.zeros(8), joint_visible=torch.ones(8, 21),
                  joints_2d=32 * torch.rand(8, 21, 2, generator=generator))  # fmt: skip
    batch = batch.map(lambda value: value.bool() if value.shape == (8, 21) else value)
    everything = Augment(colour=0.3, noise=0.1, blur=0.5, jpeg=0.5, erase=0.5, background=0.5, spectrum=0.5)
    new, again = (augment.augmented(batch, an_alpha(images), everything, seeded(3)) for _ in range(2))
    assert torch.equal(new.rgb, again.rgb) and not torch.equal(new.rgb, images)
    still = augment.augmented(batch, None, Augment(), seeded(3))
    assert torch.equal(still.rgb, images) and torch.equal(still.joint_visible, batch.joint_visible)


# Spectra


def test_the_phase_stays_and_the_amplitude_is_mixed(generator):
    images, others = pictures(4).double(), pictures(4, seed=1).double()
    part = torch.rand(4, 1, 1, 1, generator=generator, dtype=torch.float64)
    new, old, other = (torch.fft.fft2(x) for x in (augment.with_amplitude(images, others, part), images, others))
    wanted = (1 - part) * old.abs() + part * other.abs()
    torch.testing.assert_close(new.abs(), wanted)
    turn = new * old.conj() / (new.abs() * old.abs())
    torch.testing.assert_close(turn, torch.ones_like(turn))


def test_a_crop_mixed_with_itself_is_itself():
    images = pictures()
    torch.testing.assert_close(augment.with_amplitude(images, images, torch.full((8, 1, 1, 1), 0.7)), images)


# JPEG


def of_opencv(image: torch.Tensor, quality: int) -> torch.Tensor:
    """(3, H, W), 0 to 255: an image (3, H, W) after OpenCV's encoder and decoder."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
               cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]  # fmt: skip
    bgr = np.ascontiguousarray((image.permute(1, 2, 0).numpy()[..., ::-1] * 255).round().astype(np.uint8))
    decoded = cv2.imdecode(cv2.imencode(".jpg", bgr, options)[1], cv2.IMREAD_COLOR)
    return torch.from_numpy(decoded[..., ::-1].astype(np.float32)).permute(2, 0, 1)


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("size", [32, 40])
@pytest.mark.parametrize(("grey", "share", "levels"), [(True, 0.01, 0.4), (False, 0.2, 0)])
def test_jpeg_is_that_of_opencv(quality, size, grey, share, levels):
    """But for coefficients that rounding elsewhere takes to the other step: a small part of what is lost."""
    images = pictures(4, size)
    images = images[:, :1].expand(-1, 3, -1, -1) if grey else images
    ours = 255 * jpeg(images, torch.full((4,), float(quality)))
    theirs = torch.stack([of_opencv(image, quality) for image in images])
    lost = (theirs - 255 * images).abs().mean()
    assert (ours - theirs).abs().mean() < share * lost + levels


def test_every_crop_has_its_own_quality():
    images = pictures(1).expand(2, -1, -1, -1)
    both = jpeg(images, torch.tensor([20.0, 90.0]))
    for row, quality in enumerate((20.0, 90.0)):
        assert torch.equal(both[row], jpeg(images[:1], torch.tensor([quality]))[0])
    error = (both - images).abs().mean((1, 2, 3))
    assert error[0] > 1.3 * error[1]


# Lens, sensor, colour


def test_blur_is_that_of_opencv(monkeypatch, generator):
    monkeypatch.setattr(augment, "BLUR", (0.04, 0.04))
    images = pictures(3)
    new = augment.blur(images, 1.0, generator)
    for image, blurred in zip(images, new):
        twin = cv2.GaussianBlur(image.permute(1, 2, 0).numpy(), (9, 9), 0.04 * 32, borderType=cv2.BORDER_REPLICATE)
        np.testing.assert_allclose(blurred.permute(1, 2, 0), twin, atol=1e-5)


def test_noise_is_drawn_up_to_its_strength(generator):
    images = torch.full((300, 3, 16, 16), 0.5)
    deviation = (augment.add_noise(images, 0.1, generator) - images).flatten(1).std(1)
    assert deviation.max() < 0.11 and abs(deviation.mean() - 0.05) < 0.01


def test_colour_changes_stay_within_their_factors(generator):
    images = torch.full((500, 3, 4, 4), 0.4)
    ratio = augment.change_colour(images, 0.2, generator) / images
    assert 0.64 < ratio.min() < 0.7 and 1.3 < ratio.max() <= 1.44


# What stands before and behind


def test_joints_behind_a_patch_are_not_visible(generator):
    images = pictures(50)
    pixels = torch.rand(50, 21, 2, generator=generator) * 32
    seen = torch.rand(50, 21, generator=generator) < 0.8
    batch = Batch(images, torch.eye(3), torch.eye(4), torch.zeros(50), torch.zeros(50), joints_2d=pixels,
                  joint_visible=seen)  # fmt: skip
    new = augment.augmented(batch, None, Augment(erase=0.6), generator)
    column, row = pixels.floor().long().clamp(0, 31).unbind(-1)
    at = torch.arange(50)[:, None]
    covered = (new.rgb != images).any(1)[at, row, column]
    assert (new.joint_visible == (seen & ~covered)).float().mean() > 0.95  # a patch ends between pixels' centres
    assert covered.any() and not (new.joint_visible & ~seen).any()


@pytest.mark.parametrize("seed", range(20))
def test_hands_stay_and_backgrounds_are_those_of_others(seed):
    images, alpha = pictures(), an_alpha(pictures())
    new = augment.replace_background(images, alpha, 1.0, "", seeded(seed))
    inside, outside = (alpha == 1).expand_as(images), (alpha == 0).expand_as(images)
    assert torch.equal(new[inside], images[inside])
    corners = new[:, :, :3, :3]
    own = [
        torch.nonzero((images.flip(3)[:, :, :3, :3] == corner).flatten(1).all(1))[:, 0].tolist() for corner in corners
    ]
    assert all(len(one) == 1 and one != [row] for row, one in enumerate(own))
    assert (new != images)[outside].float().mean() > 0.9


def test_no_hand_is_left_in_a_background():
    alpha = an_alpha(torch.zeros(2, 3, 33, 33))
    red, blue = (torch.tensor(colour)[None, :, None, None] for colour in ((1.0, 0, 0), (0, 0, 1.0)))
    filled = backdrop.filled(alpha * red + (1 - alpha) * blue, alpha)
    torch.testing.assert_close(filled, blue.expand_as(filled))
    assert backdrop.filled(torch.ones(1, 3, 8, 8), torch.ones(1, 1, 8, 8)).isfinite().all()


def test_known_background_stays_when_hands_are_filled_in():
    images = pictures()
    filled = backdrop.filled(images, an_alpha(images))
    known = torch.nn.functional.max_pool2d(an_alpha(images), 3, 1, 1).expand_as(images) == 0
    torch.testing.assert_close(filled[known], images[known])
    assert filled.min() >= 0 and filled.max() <= 1


def test_backgrounds_of_a_folder(tmp_path, generator):
    for name, colour in (("a.png", (0, 0, 255)), ("b/c.jpg", (255, 0, 0))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.full((40, 60, 3), colour, np.uint8))
    images = torch.zeros(20, 3, 16, 16)
    new = augment.replace_background(images, torch.zeros(20, 1, 16, 16), 1.0, str(tmp_path), generator)
    colours = {tuple(colour) for colour in (new.amax((2, 3)) > 0.5).int().tolist()}
    assert colours == {(1, 0, 0), (0, 0, 1)}
    (tmp_path / "z.png").write_bytes(b"not a picture")
    backdrop.load_folder.cache_clear()
    with pytest.raises(InputError, match=r"z\.png: not a picture"):
        backdrop.load_folder(str(tmp_path))


def test_folders_without_backgrounds_are_said(tmp_path):
    with pytest.raises(InputError, match="no such folder of backgrounds"):
        backdrop.load_folder(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="no pictures in it"):
        backdrop.load_folder(str(tmp_path))
