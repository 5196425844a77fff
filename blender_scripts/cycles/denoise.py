"""The denoiser (Intel Open Image Denoise) called directly, with guides that have no noise.

Cycles would hand it its own guides, as noisy and jagged as its few paths. Blender brings the library along; this uses
the very copy, through its C interface (https://www.openimagedenoise.org/documentation.html).
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from ..blender import import_bpy

_CPU, _FLOAT3 = 1, 3  # OIDN_DEVICE_TYPE_CPU, OIDN_FORMAT_FLOAT3
_QUALITIES = {"FAST": 4, "BALANCED": 5, "HIGH": 6}
_FILES = ("lib/libOpenImageDenoise.so*", "lib/libOpenImageDenoise.*dylib", "**/OpenImageDenoise.dll")
_POINTER, _NAME, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
_FUNCTIONS = {  # results and arguments
    "oidnNewDevice": (_POINTER, [ctypes.c_int]),
    "oidnSetDeviceInt": (None, [_POINTER, _NAME, ctypes.c_int]),
    "oidnSetDeviceBool": (None, [_POINTER, _NAME, ctypes.c_bool]),
    "oidnCommitDevice": (None, [_POINTER]),
    "oidnReleaseDevice": (None, [_POINTER]),
    "oidnGetDeviceError": (ctypes.c_int, [_POINTER, ctypes.POINTER(_NAME)]),
    "oidnNewFilter": (_POINTER, [_POINTER, _NAME]),
    "oidnSetSharedFilterImage": (None, [_POINTER, _NAME, _POINTER, ctypes.c_int, *[_SIZE] * 5]),
    "oidnSetFilterBool": (None, [_POINTER, _NAME, ctypes.c_bool]),
    "oidnSetFilterInt": (None, [_POINTER, _NAME, ctypes.c_int]),
    "oidnCommitFilter": (None, [_POINTER]),
    "oidnExecuteFilter": (None, [_POINTER]),
    "oidnReleaseFilter": (None, [_POINTER]),
}


class Denoiser:
    """One device of the library, on the processor. The number of threads does not change the bytes."""

    def __init__(self, threads: int = 0) -> None:
        """`threads`: 0 for all cores. FileNotFoundError or RuntimeError if Blender's library is not there or fails."""
        self._library = _load()
        self._device = self._library.oidnNewDevice(_CPU)
        if threads:
            self._library.oidnSetDeviceInt(self._device, b"numThreads", threads)
        self._library.oidnSetDeviceBool(self._device, b"setAffinity", False)  # workers share the cores
        self._library.oidnCommitDevice(self._device)
        self._raise_errors()

    def __call__(self, colour: np.ndarray, albedo: np.ndarray, normals: np.ndarray, quality: str) -> np.ndarray:
        """Denoised (H, W, 3) float32 of `colour` (H, W, 3), linear light, premultiplied.

        Args:
            albedo: (H, W, 3) in 0..1, and normals: (H, W, 3), both free of noise. quality: FAST, BALANCED or HIGH.
        Raises:
            ValueError if shapes differ, RuntimeError if the library fails.
        """
        height, width = colour.shape[:2]
        if {colour.shape, albedo.shape, normals.shape} != {(height, width, 3)}:
            raise ValueError(
                f"denoiser: shapes {colour.shape}, {albedo.shape}, {normals.shape}; allowed is one (H, W, 3)"
            )
        images = {"color": colour, "albedo": albedo, "normal": normals, "output": np.empty_like(colour)}
        images = {name: np.ascontiguousarray(image, np.float32) for name, image in images.items()}
        library, handle = self._library, self._library.oidnNewFilter(self._device, b"RT")
        for name, image in images.items():
            place = (image.ctypes.data, _FLOAT3, width, height, 0, 12, 12 * width)  # bytes between pixels and rows
            library.oidnSetSharedFilterImage(handle, name.encode(), *place)
        library.oidnSetFilterBool(handle, b"hdr", True)
        library.oidnSetFilterBool(handle, b"cleanAux", True)
        library.oidnSetFilterInt(handle, b"quality", _QUALITIES[quality])
        library.oidnCommitFilter(handle)
        library.oidnExecuteFilter(handle)
        library.oidnReleaseFilter(handle)
        self._raise_errors()
        return images["output"]

    def close(self) -> None:
        self._library.oidnReleaseDevice(self._device)

    def _raise_errors(self) -> None:
        message = _NAME()
        if self._library.oidnGetDeviceError(self._device, ctypes.byref(message)):
            raise RuntimeError(f"Open Image Denoise: {message.value.decode()}")


def _load() -> ctypes.CDLL:
    folder = Path(import_bpy().utils.resource_path("LOCAL")).parent
    found = [path for pattern in _FILES for path in sorted(folder.glob(pattern))]
    if not found:
        raise FileNotFoundError(f"Blender's denoiser library OpenImageDenoise is not in {folder}")
    library = ctypes.CDLL(str(found[0]))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
