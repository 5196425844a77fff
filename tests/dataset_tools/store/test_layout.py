"""Names of a release's files: each said once, told back from the name, and sorted by number however many there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.names import shard_number, shard_stem, staged_path, staged_samples

ROOT = Path(__file__).parents[3]
NUMBERS = st.integers(0, 10**9)
OF_A_SHARD = ("shard", "manifest", "sheet", "incomplete", "events", "lock", "staging", "log")


@given(NUMBERS, st.sampled_from(OF_A_SHARD))
def test_every_name_of_a_shard_tells_its_number(shard, kind):
    path = getattr(ReleaseFolder(Path("release")), kind)(shard)
    assert shard_number(path) == shard
    assert path.is_relative_to("release")


@given(NUMBERS, NUMBERS)
def test_no_two_files_have_one_name(shard, other):
    folder = ReleaseFolder(Path("release"))
    paths = [getattr(folder, kind)(number) for kind in OF_A_SHARD for number in {shard, other}]
    assert len({*paths, *folder.release_files}) == len(paths) + len(folder.release_files)


@given(st.text(max_size=12))
def test_a_name_that_is_not_exactly_a_shards_is_none(text):
    for name in (text, f"shard-{text}", f"shard-00007{text}"):
        number = shard_number(name)
        assert number is None or name.partition(".")[0] == shard_stem(number)


@pytest.mark.parametrize(
    "name", ["shard-7.h5", "shard-000007.h5", "shard-00007-view", "shard-٠٠٠٠٧.h5", ".shard-00007"]
)
def test_what_only_looks_like_a_shard_is_none(name):
    assert shard_number(name) is None


def test_shards_are_listed_by_number_beyond_99999(tmp_path):
    folder, wanted = ReleaseFolder(tmp_path), [7, 99_999, 100_000, 1_000_000]
    for kind in ("shard", "incomplete", "events"):
        for shard in wanted:
            path = getattr(folder, kind)(shard)
            path.parent.mkdir(exist_ok=True)
            path.touch()
    assert sorted(path.name for path in tmp_path.glob("*.h5"))[1] == "shard-100000.h5"  # a sort by name is no use
    assert folder.shards() == folder.reported() == folder.logged() == folder.traces() == wanted


def test_traces_are_all_that_is_named_after_a_shard(tmp_path):
    folder = ReleaseFolder(tmp_path)
    for shard, kind in enumerate(("shard", "manifest", "sheet", "incomplete", "events", "lock")):
        path = getattr(folder, kind)(shard)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    folder.staging(6).mkdir(parents=True)
    for foreign in ("notes.txt", "shard-00009-view", ".shard-00008.h5.17-3.tmp"):
        (tmp_path / foreign).touch()
    assert folder.traces() == [0, 1, 2, 3, 4, 5, 6]
    assert folder.shards() == [0]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    folder = ReleaseFolder(tmp_path / "nowhere")
    assert folder.shards() == folder.traces() == []


def test_what_belongs_in_the_folder_is_told_from_what_does_not():
    folder = ReleaseFolder(Path("release"))
    published = ("shard", "manifest", "sheet", "incomplete")
    ours = [getattr(folder, kind)(100_000).name for kind in published] + [path.name for path in folder.release_files]
    assert all(map(folder.owns, [*ours, "shard-00007.h5.1a2b3c4d.part"]))
    assert not any(map(folder.owns, ["notes.txt", "shard-00007.txt", "shard-000007.h5", "shard-00007.h5.old", "a.h5"]))


@given(st.sets(st.integers(0, 10**9), max_size=6))
def test_staged_samples_are_counted(tmp_path_factory, samples):
    staging = tmp_path_factory.mktemp("staging")
    for sample in samples:
        staged_path(staging, sample).touch()
    for other in ("configuration", "worker-0.log", ".sample-00000001.staged.3-4.tmp"):
        (staging / other).touch()
    assert staged_samples(staging) == len(samples)


SPELLED = re.compile(
    r"(^|/)(shard-|plan\.npz|rejects\.csv|\.(locks|staging|events|reproduce)\b)|incomplete\.json|\.staged$"
)


def spelled_in(path: Path) -> list[str]:
    """Texts in the code of a file that spell a name; those with a space in them are prose."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if SPELLED.search(text) and " " not in text.strip()]


def test_nothing_else_spells_these_names():
    homes = {ROOT / "dataset_tools" / "store" / name for name in ("layout.py", "names.py")}
    assert sum(len(spelled_in(home)) for home in homes) > 8
    for package in ("rigging", "blender_scripts", "dataset_tools", "render_farm", "baselines"):
        for path in set((ROOT / package).rglob("*.py")) - homes:
            assert not spelled_in(path), f"{path.relative_to(ROOT)} spells {spelled_in(path)}, which is layout's"
