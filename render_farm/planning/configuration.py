"""What decides the bytes of a shard, and its hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from dataset_tools.format.optional import version_with

from ..files import digest
from .plan import Plan

# Packages whose versions can change bytes.
PACKAGES = ("mvhm", "bpy", "numpy", "scipy", "numba", "opencv-python-headless", "h5py", "hdf5plugin")


@dataclass(frozen=True)
class Configuration:
    """Equal configurations give equal bytes."""

    text: str  # all of it as JSON, for the shard's attribute
    hash: str  # sha256 of `text`
    sample_hash: str  # as `hash` but for the truncation: staged samples of equal ones are interchangeable

    @classmethod
    def of(cls, plan: Plan, samples: int | None) -> Configuration:
        """The configuration of a shard of `plan` rendered here, truncated to `samples`; None for whole shards."""
        release = json.loads(plan.release)
        values = {
            "release": release, "plan": plan.content, "device": plan.device, "samples": samples,
            "packages": package_versions(), "schema_version": version_with(release["cameras"]),
        }  # fmt: skip
        if plan.files:  # releases without any keep the text they always had
            values["files"] = plan.files
        text, whole = (json.dumps(values | {"samples": count}, sort_keys=True) for count in (samples, None))
        return cls(text, digest(text), digest(whole))


def difference(there: str, here: str) -> str:
    """In which settings two configurations (as JSON) differ, in words; "" if in none."""
    one, other = json.loads(there), json.loads(here)
    anew = one.pop("plan", None) != other.pop("plan", None)
    return differing(one, other) or ("planned anew, from other poses or by another version" if anew else "")


def differing(there: Mapping[str, Any], here: Mapping[str, Any], now: str = "now") -> str:
    """In which values two tables differ, in words; the first three. "" if in none."""
    one, other = _flat(there), _flat(here)
    keys = [key for key in sorted(set(one) | set(other)) if one.get(key) != other.get(key)]
    told = [f"{key} {_shown(one, key)}, {now} {_shown(other, key)}" for key in keys]
    return "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")


def _shown(values: Mapping[str, Any], key: str) -> str:
    text = repr(values[key]) if key in values else "not there"
    return text[:12] + "..'" if key.endswith("sha256") and len(text) > 20 else text


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def package_versions() -> dict[str, str]:
    """Versions of the packages that decide bytes; "" for one that is not installed."""
    return {name: package_version(name) for name in PACKAGES}


def package_version(name: str) -> str:
    """Version of an installed distribution; "" if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
