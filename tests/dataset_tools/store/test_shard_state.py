"""In which state a shard is, from nothing at all to damaged, by one function for everybody who asks."""

from __future__ import annotations

import json
import shutil

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools import HandDataset
from dataset_tools.__main__ import main
from dataset_tools.store.errors import ShardError
from dataset_tools.store.incomplete import Incomplete, Quarantined, read_incomplete, write_incomplete
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.names import staged_path
from dataset_tools.store.shard_state import State, file_state, shard_state
from dataset_tools.store.writer import write_manifest
from rigging.files import file_sha256

OURS = "0" * 16  # the configuration of the shards of the tests
LACKING = (
    Quarantined(3, 0, "crash", "SIGSEGV", 5, 3, "render 3"),
    Quarantined(7, 0, "hang", "no answer", None, None, ""),
)


@pytest.fixture
def folder(release, tmp_path):
    """A release of shards 0 and 1 to spoil."""
    shutil.copytree(release, tmp_path / "release")
    return ReleaseFolder(tmp_path / "release")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit(folder, **values):
    path = folder.manifest(0)
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("wanted", [None, OURS])
def test_a_whole_shard_is_whole_however_it_is_asked(folder, deep, wanted):
    found = shard_state(folder, 0, wanted, deep)
    assert (found.shard, found.state, found.reason, found.samples) == (0, State.WHOLE, "", 3)
    assert found.manifest["sha256"] == file_sha256(folder.shard(0))
    assert found.size == folder.shard(0).stat().st_size


@pytest.mark.parametrize("deep", [False, True])
def test_one_of_another_configuration_is_told_by_manifest_or_file(folder, deep):
    assert shard_state(folder, 0, "another", deep).state is State.OTHER
    folder.manifest(0).unlink()
    assert shard_state(folder, 0, "another", deep=True).state is State.OTHER


def test_a_manifest_that_lies_about_the_configuration_is_seen_in_the_file(folder):
    edit(folder, configuration_hash="another")
    assert shard_state(folder, 0, "another").state is State.WHOLE
    assert shard_state(folder, 0, "another", deep=True).state is State.OTHER


def test_a_file_without_its_manifest_is_partial_and_may_be_given_one(folder):
    folder.manifest(0).unlink()
    for deep in (False, True):
        found = shard_state(folder, 0, OURS, deep)
        assert (found.state, found.reason, found.manifest) == (State.PARTIAL, "has no manifest", None)
        assert found.size == folder.shard(0).stat().st_size
    write_manifest(folder.shard(0), file_sha256(folder.shard(0)))
    assert shard_state(folder, 0, OURS, deep=True).state is State.WHOLE


def foreign(folder):
    folder.manifest(0).unlink()
    with h5py.File(folder.shard(0), "w") as file:
        file["x"] = 1


def no_configuration(folder):
    folder.manifest(0).unlink()
    with h5py.File(folder.shard(0), "r+") as file:
        del file.attrs["configuration_hash"]


def a_folder(folder):
    folder.shard(0).unlink()
    folder.shard(0).mkdir()


DAMAGE = {  # what happens, why the state is damaged, whether only a deep look sees it
    "truncated": (lambda f: f.shard(0).write_bytes(f.shard(0).read_bytes()[:-1]), "bytes, its manifest says", False),
    "emptied": (lambda f: f.shard(0).write_bytes(b""), "has 0 bytes", False),
    "manifest of another": (lambda f: shutil.copy(f.manifest(1), f.manifest(0)), "shard-00001.h5", False),
    "manifest is no JSON": (lambda f: f.manifest(0).write_text("{"), "its manifest is not one", False),
    "manifest of nothing": (lambda f: f.manifest(0).write_text("[]"), "its manifest is not one", False),
    "no samples": (lambda f: edit(f, samples=0), "its manifest is not one", False),
    "size as text": (lambda f: edit(f, bytes="many"), "its manifest is not one", False),
    "a folder": (a_folder, "is not a file", False),
    "flipped bit": (lambda f: flip(f.shard(0)), "sha256", True),
    "lying sha256": (lambda f: edit(f, sha256="0" * 64), "sha256", True),
    "foreign": (foreign, "not a shard of this project", True),
    "no configuration": (no_configuration, "its head is damaged", True),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_told_in_one_line(folder, kind):
    spoil, reason, only_deep = DAMAGE[kind]
    spoil(folder)
    cheap, deep = shard_state(folder, 0), shard_state(folder, 0, OURS, deep=True)
    assert (cheap.state is State.DAMAGED) == (not only_deep)
    assert deep.state is State.DAMAGED
    assert reason in deep.reason
    assert str(folder.path) not in deep.reason and "\n" not in deep.reason
    assert shard_state(folder, 1, OURS, deep=True).state is State.WHOLE


def test_what_never_was_is_missing_and_what_was_is_gone(folder):
    assert (shard_state(folder, 5).state, shard_state(folder, 5).reason) == (State.MISSING, "")
    folder.shard(0).unlink()
    assert (shard_state(folder, 0).state, shard_state(folder, 0).reason) == (State.MISSING, "was written, and is gone")
    assert shard_state(ReleaseFolder(folder.path / "nowhere"), 0).state is State.MISSING


def test_staged_samples_make_it_partial(folder):
    folder.staging(5).mkdir(parents=True)
    assert shard_state(folder, 5).state is State.MISSING
    for sample in (40, 41):
        staged_path(folder.staging(5), sample).touch()
    found = shard_state(folder, 5)
    assert (found.state, found.reason, found.size) == (State.PARTIAL, "2 samples are staged", None)


def test_an_incomplete_shard_says_which_samples_are_set_aside_and_why(folder):
    write_incomplete(folder.incomplete(0), "tiny", 0, 8, LACKING)
    assert shard_state(folder, 0).state is State.WHOLE  # a report that was left over
    folder.shard(0).unlink()
    folder.manifest(0).unlink()
    found = shard_state(folder, 0)
    assert (found.state, found.reason, found.samples) == (State.INCOMPLETE, "lacks 2 of 8 samples", 8)
    assert found.quarantined == LACKING


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["samples", "lacks", "lacking", "sample", "cause", "reason", "x"]), inner)
    ),
    max_leaves=8,
)


@given(GARBAGE)
@settings(max_examples=200, deadline=None)
def test_whatever_lies_in_a_report_or_manifest_is_a_state(tmp_path_factory, value):
    folder = ReleaseFolder(tmp_path_factory.mktemp("garbage"))
    folder.incomplete(0).write_text(json.dumps(value))
    assert shard_state(folder, 0).state is State.INCOMPLETE
    folder.shard(1).write_bytes(b"mine")
    folder.manifest(1).write_text(json.dumps(value))
    assert shard_state(folder, 1, OURS, deep=True).state is State.DAMAGED


def test_a_report_reads_back_as_it_was_written(tmp_path):
    path = tmp_path / "report.json"
    assert read_incomplete(path, 0) is None
    write_incomplete(path, "tiny", 0, 8, LACKING)
    assert read_incomplete(path, 0) == Incomplete(8, 2, LACKING)
    path.write_bytes(b"\xff{")
    assert read_incomplete(path, 0) == Incomplete()
    assert str(Incomplete()) == "its report cannot be read"


def test_a_file_of_any_name_has_a_state(folder, tmp_path):
    shutil.copy(folder.shard(0), tmp_path / "mine.h5")
    assert (file_state(tmp_path / "mine.h5").shard, file_state(tmp_path / "mine.h5").state) == (None, State.PARTIAL)
    write_manifest(tmp_path / "mine.h5", file_sha256(tmp_path / "mine.h5"))
    assert file_state(tmp_path / "mine.h5", OURS, deep=True).state is State.WHOLE


# what uses it


@pytest.fixture
def wide(folder):
    """The release's shards as numbers 99,999 and 100,000."""
    for shard, number in ((0, 99_999), (1, 100_000)):
        folder.shard(shard).rename(folder.shard(number))
        folder.manifest(shard).unlink()
        write_manifest(folder.shard(number), file_sha256(folder.shard(number)))
    return folder


def test_the_loader_takes_a_folders_shards_by_number(wide):
    dataset = HandDataset(wide.path, fields=["sample"])
    assert [path.name for path in dataset.paths] == ["shard-99999.h5", "shard-100000.h5"]
    assert [dataset[i]["meta"]["sample"] for i in range(4)] == [0, 1, 2, 3]


def test_the_loader_reads_shards_whose_manifest_stayed_behind_and_refuses_one_that_does_not_fit_it(folder):
    folder.manifest(0).unlink()
    assert len(HandDataset(folder.path)) == 4
    shutil.copy(folder.manifest(1), folder.manifest(0))
    with pytest.raises(ShardError, match=r"shard-00000.h5: is not the manifest's shard-00001.h5"):
        HandDataset(folder.path)


def test_check_goes_over_a_folders_shards_by_number_and_names_what_is_incomplete(wide, capsys):
    for shard in (100_002, 99_998):
        write_incomplete(wide.incomplete(shard), "tiny", shard, 8, LACKING)
    flip(wide.shard(99_999))
    assert main(["check", str(wide.path)]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(str(wide.path))]
    assert [line.removeprefix(f"{wide.path}/").partition(",")[0] for line in lines] == [
        "shard-99998.incomplete.json: shard 99998 is incomplete: lacks 2 of 8 samples",
        "shard-100002.incomplete.json: shard 100002 is incomplete: lacks 2 of 8 samples",
        "shard-99999.h5: FAILED",
        "shard-100000.h5: ok",
    ]


def test_info_tells_of_the_shards_that_are_not_whole(folder, capsys):
    assert main(["info", str(folder.path)]) == 0
    assert "\nshard " not in capsys.readouterr().out
    write_incomplete(folder.incomplete(2), "tiny", 2, 8, LACKING)
    folder.manifest(1).unlink()
    assert main(["info", str(folder.path)]) == 0
    out = capsys.readouterr().out
    assert "\nshard 1: partial: has no manifest\nshard 2: incomplete: lacks 2 of 8 samples\n" in out


def test_info_on_a_lying_manifest_is_one_line_and_exit_code_2(folder, capsys):
    edit(folder, bytes=5)
    assert main(["info", str(folder.path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {folder.shard(0)}: has ") and error.endswith("its manifest says 5\n")
