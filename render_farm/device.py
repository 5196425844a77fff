"""What kind of processor this host renders on: other kinds give other bytes."""

from __future__ import annotations

import platform
from pathlib import Path

from blender_scripts.settings import RenderSettings

# Levels of x86-64 by the System V ABI, by the flag that tells each from the one below.
LEVELS = (("avx512f", "v4"), ("avx2", "v3"), ("sse4_2", "v2"))


def device_kind(settings: RenderSettings) -> str:
    """Such as "cpu x86_64 v4": the device that renders and the processor's instruction set."""
    return f"{settings.device} {platform.machine()} {instruction_set(cpu_flags())}"


def instruction_set(flags: frozenset[str]) -> str:
    """The level of the processor that has these flags, with "+amx" where matrix tiles could change rounding."""
    level = next((name for flag, name in LEVELS if flag in flags), "v1")
    return level + ("+amx" if "amx_tile" in flags else "")


def cpu_flags() -> frozenset[str]:
    """Flags of the first processor; empty where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())
