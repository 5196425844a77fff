"""Records become shards: what is stored comes back, the same records give the same bytes, damage is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from records import make_record, shard_record

from dataset_tools.format.codecs import CODECS
from dataset_tools.format.schema import SAMPLE_FIELDS, SchemaError
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.manifest import read_manifest
from dataset_tools.store.shard_file import ShardError, ShardFile
from dataset_tools.store.staged import read_staged, write_staged
from dataset_tools.store.writer import verify, write_manifest, write_shard

HELPERS = Path(__file__).parents[1]  # `records` is there
LOSSY = {"rgb", "depth", "normals", "flow_forward", "flow_backward"}


@pytest.fixture(scope="module")
def encoded(records):
    return [encode_sample(record) for record in records[:3]]


@pytest.mark.parametrize("name", [name for name, field in SAMPLE_FIELDS.items() if field.stored])
def test_every_stored_field_comes_back(name, records, shard):
    with ShardFile(shard) as opened:
        for row in range(3):
            value, recorded = opened.read(row, [name])[name], records[row][name]
            if name in LOSSY:
                limit = {"rgb": 40, "depth": 4.1e-6, "normals": 3e-4}.get(name, 1 / 127)
                assert np.abs(value.astype(float) - recorded).max() <= limit
            else:
                assert np.array_equal(value, np.asarray(recorded, SAMPLE_FIELDS[name].dtype))


def test_a_staged_sample_comes_back_whole(encoded, tmp_path):
    write_staged(tmp_path / "one", encoded[0])
    back = read_staged(tmp_path / "one")
    assert back.jpeg == encoded[0].jpeg
    assert back.chunks == encoded[0].chunks
    assert back.dtypes == encoded[0].dtypes
    assert back.sizes == encoded[0].sizes
    assert back.values.keys() == encoded[0].values.keys()
    for name, value in encoded[0].values.items():
        assert np.array_equal(back.values[name], value)
    assert os.listdir(tmp_path) == ["one"]


@pytest.mark.parametrize("damage", ["first byte", "a byte in the middle", "last byte", "cut short", "empty"])
def test_a_damaged_staged_sample_is_noticed(encoded, tmp_path, damage):
    path = tmp_path / "one"
    write_staged(path, encoded[0])
    data = bytearray(path.read_bytes())
    at = {"first byte": 0, "a byte in the middle": len(data) // 2, "last byte": -1}.get(damage)
    if at is not None:
        data[at] ^= 1
    path.write_bytes({"cut short": data[:-100], "empty": b""}.get(damage, data))
    with pytest.raises(ShardError, match="damaged"):
        read_staged(path)


def test_the_same_samples_give_the_same_bytes_staged_or_not_and_in_another_process(encoded, records, tmp_path):
    for i, sample in enumerate(encoded):
        write_staged(tmp_path / str(i), sample)
    direct = write_shard(tmp_path / "a.h5", encoded, shard_record())
    staged = write_shard(tmp_path / "b.h5", (read_staged(tmp_path / str(i)) for i in range(3)), shard_record())
    code = (
        f"import sys; sys.path.insert(0, {str(HELPERS)!r}); from pathlib import Path\n"
        "from records import make_record, shard_record\n"
        "from dataset_tools.store.encode import encode_sample\n"
        "from dataset_tools.store.writer import write_shard\n"
        f"path = Path({str(tmp_path / 'c.h5')!r})\n"
        "print(write_shard(path, [encode_sample(make_record(i)) for i in range(3)], shard_record()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert direct == staged == other.stdout.strip()
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "c.h5").read_bytes()


def test_values_that_do_not_compress_survive(records, tmp_path):
    """HDF5 skips a filter that does not shrink a chunk, and notes so beside the chunk."""
    record = dict(records[0])
    record["alpha"] = np.random.default_rng(0).integers(0, 256, record["alpha"].shape, dtype=np.uint8)
    write_staged(tmp_path / "one", encode_sample(record))
    write_shard(tmp_path / "a.h5", [read_staged(tmp_path / "one")], shard_record())
    with ShardFile(tmp_path / "a.h5") as shard:
        assert np.array_equal(shard.read(0, ["alpha"])["alpha"], record["alpha"])


def test_a_writer_that_fails_leaves_the_finished_shard_alone(encoded, tmp_path):
    path = tmp_path / "a.h5"
    write_shard(path, encoded[:1], shard_record())
    before = path.read_bytes()

    def interrupted():
        yield encoded[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(path, interrupted(), shard_record())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.h5"]


def test_a_writer_taken_for_dead_that_comes_back_leaves_its_successors_shard_alone(encoded, tmp_path):
    path = tmp_path / "a.h5"

    def frozen_meanwhile():
        yield encoded[0]
        write_shard(path, encoded, shard_record())  # the successor has all samples
        yield encoded[1]

    with pytest.raises(OSError, match=r"a\.h5"):
        write_shard(path, frozen_meanwhile(), shard_record())
    verify(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]
    with ShardFile(path) as shard:
        assert len(shard) == len(encoded)


def test_a_full_disk_is_an_os_error_and_leaves_nothing(encoded, tmp_path):
    write_staged(tmp_path / "one", encoded[0])
    code = (
        f"import resource, signal, sys; sys.path.insert(0, {str(HELPERS)!r}); from pathlib import Path\n"
        "from records import shard_record\n"
        "from dataset_tools.store.staged import read_staged\n"
        "from dataset_tools.store.writer import write_shard\n"
        f"folder = Path({str(tmp_path)!r}); sample = read_staged(folder / 'one')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n    write_shard(folder / 'a.h5', [sample], shard_record())\n"
        "except OSError as error:\n    print('OSError', str(error).count(chr(10)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "OSError 0\n", done.stderr
    assert os.listdir(tmp_path) == ["one"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rgb": None}, "lacks rgb"),
        ({"colour": 1}, "not in schema version 2: colour"),
        ({"mask": np.zeros((8, 64, 64), bool)}, "the loader derives mask"),
        ({"depth": np.zeros((8, 64, 64))}, "depth: dtype float32 is wanted, got float64"),
        ({"depth": np.zeros((8, 64, 63), np.float32)}, r"depth: shape \(V, H, W\)"),
        ({"joints_world": np.zeros((20, 3), np.float32)}, r"joints_world: shape \(21, 3\)"),
        ({"joints_world": np.full((21, 3), np.nan, np.float32)}, "joints_world: holds NaN"),
        ({"seed": 7}, "seed: a str is wanted, got int"),
        ({"pair_role": 300}, "pair_role: 300 does not fit uint8"),
        ({"subject": 1.5}, "subject: dtype int64 is wanted"),
    ],
)
def test_a_record_that_does_not_fit_the_schema_is_named(records, change, message):
    record = {name: value for name, value in (records[0] | change).items() if value is not None}
    with pytest.raises(SchemaError, match=message) as error:
        encode_sample(record)
    assert "\n" not in str(error.value)


def test_samples_of_different_sizes_do_not_share_a_shard(encoded, tmp_path):
    other = encode_sample(make_record(0, views=2, size=16))
    with pytest.raises(SchemaError, match="sample 1 of the shard has sizes"):
        write_shard(tmp_path / "a.h5", [encoded[0], other], shard_record())
    with pytest.raises(SchemaError, match="at least one sample"):
        write_shard(tmp_path / "a.h5", [], shard_record())
    with pytest.raises(SchemaError, match="the record lacks arm_faces, config"):
        write_shard(tmp_path / "a.h5", encoded, {"release": "test"})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("field", ["images/rgb/jpeg", "images/depth/code", "images/flow_forward/code"])
def test_a_flipped_byte_is_found(shard, tmp_path, field):
    copy = tmp_path / "a.h5"
    data = bytearray(shard.read_bytes())
    with h5py.File(shard) as file:
        dataset = file[field]
        at = dataset.id.get_offset() if dataset.chunks is None else dataset.id.get_chunk_info(5).byte_offset
    data[at + 200] ^= 16
    copy.write_bytes(data)
    with pytest.raises(ShardError, match=f"{field.split('/')[1]} of sample 0"):
        verify(copy)


def test_the_manifest_says_what_the_file_is(shard):
    manifest = read_manifest(shard)
    assert manifest["bytes"] == shard.stat().st_size
    assert manifest["samples"] == 3
    assert manifest["configuration_hash"] == "0" * 16
    shard.with_suffix(".json").read_text(encoding="utf-8").index(manifest["sha256"])


def test_a_manifest_that_is_none_is_named(tmp_path, shard):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ShardError, match="not a manifest"):
        read_manifest(tmp_path / "a.h5")
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path / "b.h5")
    with pytest.raises(FileNotFoundError, match="no such shard"):
        write_manifest(tmp_path / "b.h5", "0")


def test_the_file_describes_itself(shard):
    with h5py.File(shard) as file:
        for field in SAMPLE_FIELDS.values():
            if field.stored:
                attrs = {name: value.decode() for name, value in file[field.path].attrs.items()}
                assert (attrs["unit"], attrs["frame"], attrs["description"]) == (
                    field.unit,
                    field.frame,
                    field.description,
                )
                told = json.loads(attrs["encoding"])
                assert told["name"] == ("text" if field.dtype == "str" else field.codec)
                assert (told["version"], told["constants"]) == (1, CODECS[told["name"]].constants)
                assert (told["dtype"], tuple(told["shape"])) == (field.dtype, field.shape)
        assert file.attrs["units"] == b"metres, radians, pixels"
