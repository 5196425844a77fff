"""docs/loader.md: its code runs, as one program, on a release of the size that it speaks of, and its comments hold."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest
from records import make_record, shard_record

from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.index import COLUMNS
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.writer import write_manifest, write_shard

PAGE = Path(__file__).parents[3] / "docs" / "loader.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SHAPE = re.compile(r'(\w+)(\["\w+"\])\s+# (\([\d, ]+\)) ?(\w+)?')


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with `out/demo` in it: two shards of two samples, 8 views of 256 px."""
    folder = tmp_path_factory.mktemp("page")
    release = ReleaseFolder(folder / "out" / "demo")
    release.path.mkdir(parents=True)
    kinds = [("train", "clutter"), ("train", "hdri"), ("val", "clutter"), ("test", "clutter")]
    for number in range(2):
        samples = []
        for sample in (2 * number, 2 * number + 1):
            split, kind = kinds[sample]
            record = make_record(sample, size=256)
            samples.append(encode_sample(record | {"split": split, "background": json.dumps({"kind": kind})}))
        digest = write_shard(release.shard(number), samples, shard_record() | {"shard": number})
        write_manifest(release.shard(number), digest)
    return folder


@pytest.fixture(scope="module")
def names(place) -> dict:
    """What the page's program has defined at its end."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(place)
    defined: dict = {"__name__": "page"}
    exec(compile("\n".join(block for block in BLOCKS if "torch" not in block), str(PAGE), "exec"), defined)
    monkeypatch.undo()
    return defined


def test_every_block_runs_in_its_order(names):
    assert len(BLOCKS) >= 8
    assert (len(names["hands"]), len(names["train"]), len(names["tests"])) == (4, 2, 1)
    assert names["odd"].index["sample"].tolist() == [1, 3]
    assert names["view"]["meta"]["view"] == 3
    assert names["closer"]["rgb"].shape == (8, 224, 224, 3)
    assert names["hand"]["rgb"].shape == (128, 128, 3)


def test_the_block_for_pytorch_runs(names, place, monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed (extra `train`)")
    monkeypatch.chdir(place)
    [block] = [block for block in BLOCKS if "torch" in block]
    exec(compile(block, str(PAGE), "exec"), defined := dict(names))
    assert defined["rgb"].shape[1:] == (3, 128, 128)


def test_the_shapes_said_beside_the_code_are_those_of_the_arrays(names):
    said = [line for block in BLOCKS for line in SHAPE.findall(block)]
    assert len(said) >= 8
    for name, key, shape, dtype in said:
        array = eval(f"{name}{key}", names)
        assert array.shape == ast.literal_eval(shape), key
        if dtype:
            assert array.dtype == np.dtype(dtype), key


def test_the_page_names_what_there_is():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in COLUMNS)
    table = text[text.index("| field | `crop`") : text.index("- What lies outside")]
    missing = [name for name, field in SAMPLE_FIELDS.items() if field.group != "metadata" and not _in(name, table)]
    assert missing == ["flow_forward_valid", "flow_backward_valid"]  # which stay


def _in(name: str, table: str) -> bool:
    patterns = [name, re.sub("flow_(forward|backward)", "flow_*", name), re.sub(r"^\w+_world$", "*_world", name)]
    return any(f"`{pattern}`" in table for pattern in patterns)
