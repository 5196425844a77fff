"""Files are read as they say of themselves: version 1 as frozen, fields and constants nobody here knows, newer ones."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from records import make_record, shard_record

from dataset_tools import HandDataset
from dataset_tools.format import codecs
from dataset_tools.format.codecs import CODECS, DECODERS, Codec
from dataset_tools.format.elements import Element
from dataset_tools.format.schema import SAMPLE_FIELDS, Field
from dataset_tools.store import whole_file
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.header import explained
from dataset_tools.store.shard_file import ShardError, ShardFile
from dataset_tools.store.writer import write_shard
from rigging.files import file_sha256

FROZEN = Path(__file__).parents[1] / "frozen"


@pytest.fixture
def frozen(tmp_path) -> Path:
    """A copy of the shard of version 1, with its manifest."""
    for suffix in (".h5", ".json"):
        shutil.copy(FROZEN / f"shard-00000{suffix}", tmp_path)
    return tmp_path / "shard-00000.h5"


def written(path: Path, **more) -> Path:
    """A small shard with more in its record."""
    write_shard(path, [encode_sample(make_record(0, views=2, size=24) | more)], shard_record())
    return path


# version 1


def test_the_frozen_shard_of_version_1_gives_what_it_gave(frozen):
    dataset, expected = HandDataset(frozen), np.load(FROZEN / "expected.npz")
    assert len(dataset) == 2
    for name in ("faces", "face_part", "arm_faces"):
        assert np.array_equal(getattr(dataset, name), expected[name])
    for row in range(2):
        sample = dataset[row]
        assert {f"meta/{name}" for name in sample["meta"]} | set(sample) - {"meta"} | {
            "faces",
            "face_part",
            "arm_faces",
        } == set(expected.files)
        for name, value in sample.items():
            if name != "meta":
                assert (value.dtype, value.shape) == (expected[name].dtype, expected[name][row].shape)
                tolerance = 1e-5 if value.dtype.kind == "f" else 0  # libraries may round otherwise
                assert np.abs(value.astype(float) - expected[name][row]).max() <= tolerance, name
        for name, value in sample["meta"].items():
            assert np.array_equal(value, expected[f"meta/{name}"][row]), name
    assert dataset.attrs["schema_version"] == 1
    assert dataset.attrs["configuration"] == {"release": {"name": "test"}}


def test_a_shard_of_version_1_needs_its_manifest_unless_told_otherwise(frozen):
    frozen.with_suffix(".json").unlink()
    with pytest.raises(ShardError, match=r"shard-00000\.h5: .* manifest is missing: fetch shard-00000\.json .*verify"):
        HandDataset(frozen)
    assert HandDataset(frozen, verify=False)[1]["rgb"].shape == (2, 24, 24, 3)
    frozen.with_suffix(".json").write_text("{}")
    with pytest.raises(ShardError, match=r"shard-00000\.json: not a manifest"):
        HandDataset(frozen)


def test_a_shard_of_version_1_is_hashed_once_also_for_workers(frozen, monkeypatch):
    hashed = []
    monkeypatch.setattr(whole_file, "_sha256", lambda *stamp: hashed.append(stamp) or file_sha256(stamp[0]))
    dataset = HandDataset(frozen)
    dataset.close()
    dataset[0]
    pickle.loads(pickle.dumps(dataset))[1]
    assert len(hashed) == 1
    data = bytearray(frozen.read_bytes())
    data[-100] ^= 1
    frozen.write_bytes(data)
    dataset.close()
    with pytest.raises(ShardError, match="damaged, its sha256 is not the manifest's"):
        dataset[0]


# what a file says


def test_constants_are_those_of_the_file(tmp_path, monkeypatch):
    """A file of a coarser octahedron is decoded with its own constants."""
    with monkeypatch.context() as patched:
        patched.setattr(codecs, "OCTAHEDRAL_CODES", 1000)
        coarse = replace(CODECS["octahedral"], constants={"background": 0, "codes": 1000, "offset": 1001})
        patched.setitem(CODECS, "octahedral", coarse)
        path = written(tmp_path / "coarse.h5")
        fine = make_record(0, views=2, size=24)["normals"]
    read = HandDataset(path)[0]["normals"]
    assert np.abs(read - fine).max() < 3e-3
    assert np.abs(np.linalg.norm(read, axis=-1)[fine.any(-1)] - 1).max() < 1e-6


def test_fields_that_the_code_does_not_know_are_read(tmp_path, monkeypatch):
    force = Field("grip_force", "metadata", "float32", (), "N", "-", "Force of the grip.")
    wetness = Field("wetness", "images", "uint8", ("V", "H", "W"), "1/255", "image", "Water on the skin.", "zstd")
    values = np.random.default_rng(0).integers(0, 256, (2, 24, 24), dtype=np.uint8)
    with monkeypatch.context() as patched:
        patched.setitem(SAMPLE_FIELDS, "grip_force", force)
        patched.setitem(SAMPLE_FIELDS, "wetness", wetness)
        path = written(tmp_path / "a.h5", grip_force=3.5, wetness=values)
    everything = HandDataset(path)
    assert everything[0]["meta"]["grip_force"] == 3.5
    assert np.array_equal(everything[0]["wetness"], values)
    some = HandDataset(path, fields=["wetness", "grip_force"], views=[1])[0]
    assert set(some) == {"wetness", "meta"}
    assert np.array_equal(some["wetness"], values[1:])
    with pytest.raises(ValueError, match=r"no dampness; there are: meta, rgb, .*wetness"):
        HandDataset(path, fields=["dampness"])


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("wavelet", 1, "is encoded as wavelet version 1, this mvhm reads bits, depth, flow, jpeg"),
        ("zstd", 2, "is encoded as zstd version 2, this mvhm reads version 1 of it"),
    ],
)
def test_unknown_encodings_are_named_and_the_rest_is_read(tmp_path, monkeypatch, name, version, message):
    codec = Codec(CODECS["zstd"].encode, CODECS["zstd"].decode, CODECS["zstd"].parts, version=version)
    field = Field("wetness", "images", "uint8", ("V", "H", "W"), "1/255", "image", "Water on the skin.", name)
    with monkeypatch.context() as patched:
        patched.setitem(SAMPLE_FIELDS, "wetness", field)
        patched.setitem(CODECS, name, codec)
        patched.setitem(DECODERS, (name, version), codec)
        path = written(tmp_path / "a.h5", wetness=np.zeros((2, 24, 24), np.uint8))
    for fields in (None, ["wetness"]):
        with pytest.raises(ShardError, match=re.escape(f"{path}: ") + "(wetness|alpha) of sample 0") as error:
            HandDataset(path, fields=fields)[0]
        assert message in str(error.value)
        assert "upgrade the mvhm package" in str(error.value)
    assert HandDataset(path, fields=["depth"])[0]["depth"].shape == (2, 24, 24)


def test_an_element_is_what_its_text_says():
    for field in SAMPLE_FIELDS.values():
        if field.stored:
            assert Element.parse(Element.of(field).text.encode()) == Element.of(field)
    for text in (b"", b"[]", b"{}", b'{"name": 1}', b"[" * 100_000):
        with pytest.raises(ValueError, match=r"encoding|Expecting"):
            Element.parse(text)


# what is in the file


def test_nothing_in_the_file_lies_where_hdf5_has_no_checksum(shard):
    """Global heaps, and the structures of old versions of HDF5."""
    data = shard.read_bytes()
    assert not [mark for mark in (b"GCOL", b"HEAP", b"SNOD", b"TREE") if mark in data]
    with h5py.File(shard) as file:
        assert not any(node.dtype.hasobject for node in map(file.get, names(file)) if isinstance(node, h5py.Dataset))


def names(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visit(found.append)
    return found


def test_every_dataset_has_checksums(shard):
    with ShardFile(shard) as opened, h5py.File(shard) as file:
        stored = {name for name in names(file) if isinstance(file[name], h5py.Dataset)}
        once = {name for name in stored if name.startswith("shard/")}
        assert set(opened._sums.columns) == stored - once - {"checksums/samples", "checksums/shard"}
        assert once <= set(opened._sums.shard)


def test_the_files_as_written_are_read_without_hdf5s_filter(shard):
    code = (
        "import sys; from dataset_tools import HandDataset\n"
        "HandDataset(sys.argv[1])[0]; print('hdf5plugin' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, shard], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_sizes_that_cannot_be_are_no_allocation(shard, tmp_path):
    path = tmp_path / "a.h5"
    shutil.copy(shard, path)
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        attributes = dict(file["geometry/K"].attrs)
        del file["geometry/K"]
        huge = file.create_dataset("geometry/K", (3, 8, 1 << 40, 3), "f8")
        for name, value in attributes.items():
            huge.attrs[name] = value
    with pytest.raises(ShardError, match=r"K of sample 0 is damaged or missing \(float64 .* in a file of \d+ bytes"):
        HandDataset(path, fields=["K"])[0]


@pytest.mark.parametrize(
    "sizes",
    ['{"V": 1000000, "H": 10000, "W": 10000}', '{"V": 1}', '{"V": 1, "H": 2, "W": "3"}', "[]", "{", '{"V": -1}'],
)
def test_sizes_that_explain_nothing_are_refused(sizes):
    others = {name: "[]" for name in ("joint_names", "joint_parents", "part_names")}
    with pytest.raises(ValueError, match=r"sizes are|Expecting"):
        explained({"samples": 1, "sizes": sizes, **others})
