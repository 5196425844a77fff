"""How pictures are made: size, quality and device."""

from __future__ import annotations

from dataclasses import dataclass

from .blender import DEVICES

_CHOICES = {
    "denoiser_quality": ("HIGH", "BALANCED", "FAST", "NONE"),
    "subsurface": ("RANDOM_WALK", "BURLEY", "NONE"),
    "device": DEVICES,
}
_LIMITS = {
    "width": (16, 8192), "height": (16, 8192), "samples_per_pixel": (1, 65536), "bounces": (0, 1024),
    "threads": (0, 1024),
}  # fmt: skip


@dataclass(frozen=True)
class RenderSettings:
    """Settings of the render; all but `threads` change the bytes."""

    width: int = 256  # pixels
    height: int = 256
    samples_per_pixel: int = 8
    denoiser_quality: str = "BALANCED"  # NONE renders without the denoiser
    bounces: int = 4
    subsurface: str = "RANDOM_WALK"
    threads: int = 0  # 0: all cores
    device: str = "CPU"
    crop: bool = True  # render only the box that hand and arm cover
    crosscheck: float = 0.05  # share of the views whose labels are compared with Cycles

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}, allowed are {', '.join(allowed)}")
        if not 0 <= self.crosscheck <= 1:
            raise ValueError(f"crosscheck is {self.crosscheck!r}, allowed is a share from 0 to 1")
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"{name} is {value!r}, allowed are whole numbers from {least} to {most}")
