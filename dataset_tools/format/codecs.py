"""How values become bytes: one `encode` and one `decode` per codec, on all views of a sample at once.

Encoded parts are arrays with a leading view axis. A part named `code` is stored in chunks of one view, byte-shuffled
and compressed with Zstandard; other parts are plain. A file says of every element which codec, in which version and
with which constants, wrote it; DECODERS is asked for the first two, and `decode` is given the constants of the file.
So a constant can change without a new version, and a codec that changes otherwise keeps its old `decode`.

Measured on 256 px views, shuffle + zstd 3 beats bitshuffle under Blosc2 by 10 to 25 % of the size for these codes, at
a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import simplejpeg

DEPTH_STEP = 8e-6  # m: finest step, so that noise below the stated error is not stored
DEPTH_CODES = 65534
FLOW_STEP = 1 / 64  # px
FLOW_CODES = 32767
OCTAHEDRAL_CODES = 8191  # 14 bits an axis
# 4:4:4 against 4:2:0: 28 % more bytes (4 % of a view with its labels) and decoding 18 % slower, but 2.6 dB better,
# half the largest error, and colour edges that stay on the mask's edge instead of bleeding over two pixels.
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]

Parts = dict[str, Any]
Constants = Mapping[str, int | str]
Empty = Callable[[tuple[int, ...], Any], np.ndarray]  # np.empty, or what takes memory from elsewhere


@dataclass(frozen=True)
class Codec:
    """`encode(values (V, H, W, ...))` gives the parts; `decode(parts, (H, W), constants, empty)` the values back."""

    encode: Callable[[Any], Parts]
    decode: Callable[..., Any]
    parts: Mapping[str, str]  # part name ("": the element itself) to what it is, for docs/format.md
    constants: Constants = field(default_factory=dict)  # of what is written now
    version: int = 1

    @cached_property
    def is_plain(self) -> bool:
        """Whether the element is one dataset of the values, or of their bytes."""
        return set(self.parts) == {""}


def encode_jpeg(rgb: np.ndarray) -> Parts:
    """JPEG streams of images (V, H, W, 3) uint8 sRGB."""
    return {"jpeg": [cv2.imencode(".jpg", np.ascontiguousarray(view[..., ::-1]), JPEG)[1].tobytes() for view in rgb]}


def decode_jpeg(
    parts: Mapping[str, Any], size: tuple[int, int], constants: Constants, empty: Empty = np.empty
) -> np.ndarray:
    """Images (V, H, W, 3) uint8 from `parts["jpeg"]`, V uint8 arrays. Raises ValueError for a broken stream.

    The pixels are those of cv2.imdecode, which is a fifth slower and cannot put them where they are wanted.
    """
    out = empty((len(parts["jpeg"]), *size, 3), np.uint8)
    for view, stream in zip(out, parts["jpeg"]):
        try:
            shape = simplejpeg.decode_jpeg(stream, "RGB", buffer=view).shape
        except ValueError as error:
            raise ValueError(f"broken JPEG stream of {len(stream)} bytes: {error}") from None
        if shape != view.shape:
            raise ValueError(f"broken JPEG stream of {len(stream)} bytes: {shape} instead of {view.shape}")
    return out


def encode_depth(depth: np.ndarray) -> Parts:
    """Depth (V, H, W) float32 m, 0 = background, as code 1 + (depth - near) / step; code 0 = background.

    Raises ValueError for a negative depth.
    """
    if (depth < 0).any():
        raise ValueError(f"depth: {depth.min()} m is behind the camera")
    code = np.zeros(depth.shape, np.uint16)
    near, step = np.zeros(len(depth)), np.full(len(depth), DEPTH_STEP)
    for v, view in enumerate(depth):
        seen = view > 0
        if seen.any():
            values = view[seen].astype(np.float64)
            near[v] = values.min()
            step[v] = max((values.max() - near[v]) / DEPTH_CODES, DEPTH_STEP)
            code[v][seen] = 1 + np.rint((values - near[v]) / step[v])
    return {"code": code, "near": near, "step": step}


def decode_depth(
    parts: Mapping[str, Any], size: tuple[int, int], constants: Constants, empty: Empty = np.empty
) -> np.ndarray:
    """Depth (V, H, W) float32 m."""
    code, step = parts["code"], parts["step"].astype(np.float32)
    offset = (parts["near"] - constants["first"] * parts["step"]).astype(np.float32)
    out = empty(code.shape, np.float32)
    for view, codes, by, start in zip(out, code, step, offset):  # a view at a time stays in the processor's cache
        np.multiply(codes, by, out=view)
        view += start
        view *= codes != constants["background"]
    return out


def encode_octahedral(normals: np.ndarray) -> Parts:
    """Unit vectors (V, H, W, 3) as two codes each on the unfolded octahedron (Cigolle et al. 2014); 0 = no vector."""
    code = np.zeros((*normals.shape[:3], 2), np.uint16)
    seen = np.flatnonzero((normals[..., 0] != 0) | (normals[..., 1] != 0) | (normals[..., 2] != 0))
    x, y, z = normals.reshape(-1, 3)[seen].T
    total = np.abs(x) + np.abs(y) + np.abs(z)
    x, y, below = x / total, y / total, z < 0
    u = np.where(below, np.copysign(1 - np.abs(y), x), x)
    v = np.where(below, np.copysign(1 - np.abs(x), y), y)
    code.reshape(-1, 2)[seen] = np.rint(np.stack([u, v], -1) * OCTAHEDRAL_CODES) + (OCTAHEDRAL_CODES + 1)
    return {"code": code}


def decode_octahedral(
    parts: Mapping[str, Any], size: tuple[int, int], constants: Constants, empty: Empty = np.empty
) -> np.ndarray:
    """Unit vectors (V, H, W, 3) float32; zero where no vector was stored."""
    code = parts["code"]
    out, planes = empty((*code.shape[:3], 3), np.float32), empty((2, *code.shape[1:3]), code.dtype)
    for view, codes in zip(out, code):
        cv2.split(codes, list(planes))
        u, v = planes.reshape(2, -1)
        seen = np.flatnonzero(u != constants["background"])
        view.fill(0)
        for axis, values in zip(view.reshape(-1, 3).T, _unfolded(u.take(seen), v.take(seen), constants)):
            axis[seen] = values
    return out


def _unfolded(u: np.ndarray, v: np.ndarray, constants: Constants) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, z (n,) float32 of unit vectors, of codes (n,) on the octahedron."""
    offset, codes = np.float32(constants["offset"]), np.float32(constants["codes"])
    x, y = ((code.astype(np.float32) - offset) / codes for code in (u, v))
    z = 1 - np.abs(x) - np.abs(y)
    fold = np.maximum(-z, 0)
    x -= np.copysign(fold, x)
    y -= np.copysign(fold, y)
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def encode_flow(flow: np.ndarray) -> Parts:
    """Flow (V, H, W, 2) float32 px as int16 planes (V, 2, H, W) of the view's own step (V,) px."""
    code = np.empty((len(flow), 2, *flow.shape[1:3]), np.int16)
    step = np.empty(len(flow), np.float32)
    for v, view in enumerate(flow):
        largest = max(view.max(initial=0), -view.min(initial=0))
        step[v] = max(largest / FLOW_CODES, FLOW_STEP)
        code[v] = np.rint(np.stack(cv2.split(view)) / step[v])
    return {"code": code, "step": step.astype(np.float64)}


def decode_flow(
    parts: Mapping[str, Any], size: tuple[int, int], constants: Constants, empty: Empty = np.empty
) -> np.ndarray:
    """Flow (V, H, W, 2) float32 px."""
    code = parts["code"]
    out, planes = empty((len(code), *code.shape[2:], 2), np.float32), empty(code.shape[1:], np.float32)
    for view, codes, step in zip(out, code, parts["step"].astype(np.float32)):
        np.multiply(codes, step, out=planes)
        cv2.merge(list(planes), dst=view)  # several times faster than a strided copy
    return out


def encode_bits(values: np.ndarray) -> Parts:
    """Booleans (V, H, W), row by row, eight to a byte, first in the highest bit."""
    return {"code": np.packbits(values.reshape(len(values), -1), axis=1)}


def decode_bits(
    parts: Mapping[str, Any], size: tuple[int, int], constants: Constants, empty: Empty = np.empty
) -> np.ndarray:
    """Booleans (V, H, W)."""
    flat = np.unpackbits(parts["code"], axis=1, count=size[0] * size[1], bitorder=str(constants["bitorder"]))
    return flat.view(bool).reshape(-1, *size)


def decode_text(parts: Mapping[str, Any], size: tuple[int, int], constants: Constants, empty: Empty = np.empty) -> str:
    """The text of fixed-length bytes, padded with zeros."""
    return bytes(parts[""]).rstrip(b"\0").decode(str(constants["charset"]))


CODECS = {
    "plain": Codec(lambda values: {"": values}, lambda parts, *_: parts[""], {
        "": "the array itself",
    }),
    "text": Codec(lambda text: {"": text}, decode_text, {
        "": "the text's bytes, padded with zeros to the longest",
    }, {"charset": "utf-8"}),
    "jpeg": Codec(encode_jpeg, decode_jpeg, {
        "jpeg": "uint8: the JPEG streams of all views of all samples, one after another",
        "offsets": "int64 (S V + 1): view v of sample s is jpeg[offsets[s V + v] : offsets[s V + v + 1]]",
    }, {"quality": 95, "sampling": "4:4:4", "colour": "sRGB"}),
    "zstd": Codec(lambda values: {"code": values}, lambda parts, *_: parts["code"], {
        "code": "the values",
    }),
    "depth": Codec(encode_depth, decode_depth, {
        "code": "uint16 (S, V, H, W): `background`, else depth = near + (code - `first`) step",
        "near": "float64 (S, V), m: nearest depth of the view",
        "step": "float64 (S, V), m",
    }, {"background": 0, "first": 1}),
    "octahedral": Codec(encode_octahedral, decode_octahedral, {
        "code": "uint16 (S, V, H, W, 2): `background`, else (x, y) = (code - `offset`) / `codes`, "
                "z = 1 - |x| - |y|, t = max(-z, 0), x -= t sign(x), y -= t sign(y); normalise (x, y, z)",
    }, {"background": 0, "codes": OCTAHEDRAL_CODES, "offset": OCTAHEDRAL_CODES + 1}),
    "flow": Codec(encode_flow, decode_flow, {
        "code": "int16 (S, V, 2, H, W): dx = code[0] step, dy = code[1] step",
        "step": "float64 (S, V), px",
    }),
    "bits": Codec(encode_bits, decode_bits, {
        "code": "uint8 (S, V, ceil(H W / 8)): row by row, eight pixels to a byte, the first in the highest bit "
                "where `bitorder` is big",
    }, {"bitorder": "big"}),
}  # fmt: skip

DECODERS = {(name, codec.version): codec for name, codec in CODECS.items()}  # and, one day, older versions
