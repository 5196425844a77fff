"""Starting Blender as a Python module, choosing the render device, and keeping its progress lines off stdout."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from types import ModuleType

from .system import explain_import_error

_log = logging.getLogger(__name__)

DEVICES = ("CPU", "CUDA", "OPTIX", "HIP", "ONEAPI", "METAL")


def import_bpy() -> ModuleType:
    """Import Blender. ImportError names the missing system library and the line that installs it."""
    try:
        return importlib.import_module("bpy")
    except ImportError as error:
        raise ImportError(explain_import_error(str(error))) from error


def choose_device(name: str) -> str:
    """Set up Cycles for `name` (one of DEVICES) and return "CPU" or "GPU", the scene's device.

    Blender renders on the CPU without a word if a GPU is asked for and none is there; here that is a ValueError.
    """
    if name not in DEVICES:
        raise ValueError(f"device is {name!r}, allowed are {', '.join(DEVICES)}")
    if name == "CPU":
        return "CPU"
    preferences = import_bpy().context.preferences.addons["cycles"].preferences
    found = [device for device in preferences.get_devices_for_type(name) if device.type == name]
    if not found:
        raise ValueError(f"device is {name}, but Cycles finds no such device on this machine; allowed here: CPU")
    preferences.compute_device_type = name
    for device in preferences.devices:
        device.use = device.type == name
    _log.info("rendering on %s: %s", name, ", ".join(device.name for device in found))
    return "GPU"


def return_large_blocks() -> None:
    """Make glibc give freed blocks above 1 MB back to the system; left alone, a worker grows by some 200 MB."""
    mmap_threshold = -3  # M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(mmap_threshold, 1 << 20)


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Send this process's stdout to nowhere: Blender writes progress lines past Python and has no switch for it."""
    sys.stdout.flush()
    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)
