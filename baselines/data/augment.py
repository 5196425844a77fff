"""Training crops changed at random, on the device. Labels stay true: what moves pixels is in `crop`.

Every change is a function of images (B, 3, S, S), 0 to 1, and of a generator (of the CPU, whatever the device, so that
crops are drawn alike everywhere); the same generator gives the same bits.
"""

from __future__ import annotations

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batch import Batch
from ..config import Augment
from .backdrop import composite, from_folder, from_others
from .colour import brightened, contrasted, hue_turned, saturated
from .jpeg import jpeg

BLUR = (0.005, 0.02)  # standard deviation, of the crop's side
QUALITY = (20.0, 95.0)  # of JPEG
ERASED = (0.1, 0.45)  # sides of a rectangle, of the crop's side


def augmented(batch: Batch, alpha: Tensor | None, augment: Augment, generator: torch.Generator) -> Batch:
    """The crops changed as `augment` says, in the order of a photograph: what is seen, the lens, the file.

    alpha (B, 1, S, S), 0 to 1, or None; the background is then replaced nowhere.
    """
    images, visible = batch.rgb, batch.joint_visible
    if alpha is not None:
        images = replace_background(images, alpha, augment.background, augment.backgrounds, generator)
    boxes = rectangles(len(images), augment.erase, images.shape[-1], generator).to(images.device)
    images = erase(images, boxes, generator)
    if visible is not None and batch.joints_2d is not None:
        visible = visible & ~_covered(batch.joints_2d, boxes)
    images = mix_spectra(images, augment.spectrum, generator)
    images = change_colour(images, augment.colour, generator)
    images = jitter_colours(images, augment, generator)
    images = blur(images, augment.blur, generator)
    images = add_noise(images, augment.noise, generator)
    images = compress(images, augment.jpeg, generator)
    return dataclasses.replace(batch, rgb=images, joint_visible=visible)


def chosen(count: int, share: float, generator: torch.Generator) -> Tensor:
    """(k,) int64: each of `count` crops with probability `share`."""
    return torch.nonzero(torch.rand(count, generator=generator) < share)[:, 0]


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Numbers of `shape` spread evenly from low to high, on the device of `like` (...)."""
    return (low + (high - low) * torch.rand(shape, generator=generator)).to(like.device, non_blocking=True)


def replace_background(images: Tensor, alpha: Tensor, share: float, folder: str, generator: torch.Generator) -> Tensor:
    """A share of the crops before other backgrounds: of a folder of pictures, or ("") of other crops.

    images (B, 3, S, S), alpha (B, 1, S, S), 0 to 1.
    """
    which = chosen(len(images), share, generator)
    if not len(which):
        return images
    if folder:
        behind = from_folder(folder, len(which), images.shape[-1], generator).to(images.device)
    else:
        behind = from_others(images, alpha, which, generator)
    which = which.to(images.device)
    return images.index_copy(0, which, composite(images[which], alpha[which], behind))


def rectangles(count: int, share: float, size: int, generator: torch.Generator) -> Tensor:
    """(B, 4) px x0 y0 x1 y1 of a rectangle of ERASED sides anywhere in the crop; for 1 - share of them an empty one."""
    draws = torch.rand(count, 5, generator=generator)
    sides = size * (ERASED[0] + (ERASED[1] - ERASED[0]) * draws[:, :2])
    corner = (size - sides) * draws[:, 2:4]
    return torch.cat([corner, corner + sides * (draws[:, 4:] < share)], 1)


def erase(images: Tensor, boxes: Tensor, generator: torch.Generator) -> Tensor:
    """The images with their rectangles (B, 4) px in one colour each."""
    colour = uniform(0, 1, (len(images), 3, 1, 1), generator, images)
    centres = torch.arange(images.shape[-1], device=images.device) + 0.5
    across = (centres >= boxes[:, :1]) & (centres < boxes[:, 2:3])  # (B, S)
    down = (centres >= boxes[:, 1:2]) & (centres < boxes[:, 3:])
    return torch.where((down[:, :, None] & across[:, None])[:, None], colour, images)


def _covered(pixels: Tensor, boxes: Tensor) -> Tensor:
    """(B, n) bool: which points (B, n, 2) px are in their crop's rectangle (B, 4)."""
    return ((pixels >= boxes[:, None, :2]) & (pixels < boxes[:, None, 2:])).all(-1)


def change_colour(images: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast about the mean, and each channel's gain, by factors of 1 - amount to 1 + amount.

    images (B, 3, S, S), 0 to 1.
    """
    if not amount:
        return images
    factors = uniform(1 - amount, 1 + amount, (len(images), 5, 1, 1), generator, images)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    contrasted = mean + (images - mean) * factors[:, 3:4]
    return (contrasted * factors[:, :3] * factors[:, 4:]).clamp(0, 1)


def jitter_colours(images: Tensor, augment: Augment, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation and hue, each by itself, as `augment` says.

    images (B, 3, S, S), 0 to 1.
    """
    jitters = ((brightened, augment.brightness), (contrasted, augment.contrast), (saturated, augment.saturation))
    shape = (len(images), 1, 1, 1)
    for change, amount in jitters:
        if amount:
            images = change(images, uniform(1 - amount, 1 + amount, shape, generator, images))
    if augment.hue:
        images = hue_turned(images, uniform(-augment.hue, augment.hue, shape, generator, images))
    return images


def blur(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the crops behind a Gaussian lens, its width (BLUR) drawn for each.

    images (B, 3, S, S), 0 to 1.
    """
    which = chosen(len(images), share, generator)
    if not len(which):
        return images
    size = images.shape[-1]
    sigma = uniform(BLUR[0] * size, BLUR[1] * size, (len(which), 1), generator, images)
    radius = math.ceil(2.5 * BLUR[1] * size)
    steps = torch.arange(-radius, radius + 1, device=images.device)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)  # (3k, width)
    which = which.to(images.device)
    planes = F.pad(images[which].flatten(0, 1)[None], [radius] * 4, mode="replicate")
    planes = F.conv2d(planes, kernel[:, None, None], groups=len(kernel))
    planes = F.conv2d(planes, kernel[:, None, :, None], groups=len(kernel))
    return images.index_copy(0, which, planes[0].unflatten(0, (-1, 3)).clamp(0, 1))


def add_noise(images: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """Normal noise in every pixel and channel, its standard deviation drawn from 0 to sigma for each crop.

    images (B, 3, S, S), 0 to 1.
    """
    if not sigma:
        return images
    scale = uniform(0, sigma, (len(images), 1, 1, 1), generator, images)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    own = torch.Generator(images.device).manual_seed(seed)  # a large draw is made where it is used
    noise = torch.randn(images.shape, generator=own, device=images.device)
    return (images + scale * noise).clamp(0, 1)


def compress(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the crops as they come back from JPEG, its QUALITY drawn for each.

    images (B, 3, S, S), 0 to 1.
    """
    which = chosen(len(images), share, generator)
    if not len(which):
        return images
    quality = uniform(*QUALITY, (len(which),), generator, images)
    which = which.to(images.device)
    return images.index_copy(0, which, jpeg(images[which], quality))


def mix_spectra(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the crops with the amplitudes of their Fourier transforms drawn towards those of another crop.

    Amplitude mix of Xu et al. 2021, A Fourier-based Framework for Domain Generalization, eq. 4 and 5: the amplitude
    becomes (1 - l) A + l A' with l drawn from 0 to 1; the phase, which holds the shapes, stays.
    images (B, 3, S, S), 0 to 1.
    """
    which = chosen(len(images), share, generator)
    if not len(which):
        return images
    other = torch.randperm(len(images), generator=generator)[: len(which)].to(images.device)
    part = uniform(0, 1, (len(which), 1, 1, 1), generator, images)
    which = which.to(images.device)
    return images.index_copy(0, which, with_amplitude(images[which], images[other], part).clamp(0, 1))


def with_amplitude(images: Tensor, others: Tensor, part: Tensor) -> Tensor:
    """Images whose amplitude spectrum is 1 - part of their own and `part` of the others'; the phase stays.

    images and others (B, 3, S, S), part (B, 1, 1, 1).
    """
    spectrum = torch.fft.rfft2(images)
    amplitude = torch.lerp(spectrum.abs(), torch.fft.rfft2(others).abs(), part)
    return torch.fft.irfft2(torch.polar(amplitude, spectrum.angle()), s=images.shape[-2:])
