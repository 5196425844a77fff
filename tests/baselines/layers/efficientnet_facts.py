"""What torchvision's file of EfficientNet-B0 holds, written down block by block: names and shapes."""

from __future__ import annotations

PUBLISHED = 5_288_548  # parameters
CLASSIFIER = 1280 * 1000 + 1000
BLOCKS = {  # place in `features`: inputs, what they grow to, of the excitation, outputs, side of the kernel
    "1.0": (32, 32, 8, 16, 3),
    "2.0": (16, 96, 4, 24, 3),
    "2.1": (24, 144, 6, 24, 3),
    "3.0": (24, 144, 6, 40, 5),
    "3.1": (40, 240, 10, 40, 5),
    "4.0": (40, 240, 10, 80, 3),
    "4.1": (80, 480, 20, 80, 3),
    "4.2": (80, 480, 20, 80, 3),
    "5.0": (80, 480, 20, 112, 5),
    "5.1": (112, 672, 28, 112, 5),
    "5.2": (112, 672, 28, 112, 5),
    "6.0": (112, 672, 28, 192, 5),
    "6.1": (192, 1152, 48, 192, 5),
    "6.2": (192, 1152, 48, 192, 5),
    "6.3": (192, 1152, 48, 192, 5),
    "7.0": (192, 1152, 48, 320, 3),
}


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Shapes by name, without those of the classifier."""
    shapes = norm("features.0", (32, 3, 3, 3)) | norm("features.8", (1280, 320, 1, 1))
    for place, (inputs, wide, hidden, outputs, side) in BLOCKS.items():
        block, first = f"features.{place}.block", 0
        if wide > inputs:
            shapes |= norm(f"{block}.0", (wide, inputs, 1, 1))
            first = 1
        shapes |= norm(f"{block}.{first}", (wide, 1, side, side))
        for name, shape in (("fc1", (hidden, wide, 1, 1)), ("fc2", (wide, hidden, 1, 1))):
            excitation = f"{block}.{first + 1}.{name}"
            shapes |= {f"{excitation}.weight": shape, f"{excitation}.bias": shape[:1]}
        shapes |= norm(f"{block}.{first + 2}", (outputs, wide, 1, 1))
    return shapes


def norm(name: str, weight: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """A convolution without a bias, and its batch norm."""
    of_norm = {f"{name}.1.{key}": weight[:1] for key in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.0.weight": weight, f"{name}.1.num_batches_tracked": ()} | of_norm
