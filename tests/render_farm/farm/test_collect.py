"""Shards of two nodes, really rendered, gathered in one folder: checked, whole or not at all, nothing lost or mixed."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_tools.format.schema import SAMPLE_FIELDS, SHARD_FIELDS
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_shard
from render_farm.errors import DamagedError
from render_farm.farm.collect import find_shards, ranges
from render_farm.farm.transfer import pack, store
from render_farm.files import chunks
from render_farm.lock import Lock
from render_farm.shard.events import EventLog, Stop
from rigging.command_line import main
from tests.small_disks import small_disk

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def rendered(looped, tmp_path_factory):
    """OUT of two nodes that share nothing: the first has shard 0, the second shard 1, of one sample each."""
    nodes = tmp_path_factory.mktemp("nodes")
    for shard in (0, 1):
        assert looped.shards[shard].exists(), looped.output
        other = f"shard-{1 - shard:05d}.*"
        shutil.copytree(looped.out, nodes / str(shard), ignore=shutil.ignore_patterns(other, ".locks"))
        EventLog.of(nodes / str(shard) / "tiny", shard).add(Stop("error", "for the tests of logs"))
    return nodes


@pytest.fixture
def nodes(rendered, tmp_path):
    """A copy of the two folders to spoil."""
    shutil.copytree(rendered, tmp_path / "nodes")
    return [tmp_path / "nodes" / name for name in "01"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def collect(tiny, out, capsys):
    """Run the command on folders; exit code, summary, last line of stderr."""

    def run(*folders):
        code = main(["collect", "--release", str(tiny), "--out", str(out), *map(str, folders)])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return code, told.out, told.err.strip().rpartition("\n")[2]

    return run


def shard_of(out, shard=0):
    return out / "tiny" / f"shard-{shard:05d}.h5"


def files_of(out):
    """Contents of all that is no lock."""
    paths = (path for path in (out / "tiny").rglob("*") if path.is_file() and ".locks" not in path.parts)
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_shards_of_all_folders_are_in_one_with_all_that_belongs_to_them(collect, nodes, out):
    code, summary, _ = collect(*nodes)
    assert code == 0
    assert summary == f"{out / 'tiny'}: 2 of 2 shards, 2 of them copied now\n"
    assert files_of(out) == files_of(nodes[0]) | files_of(nodes[1])
    assert {"tiny/plan.npz", "tiny/shard-00001.png", "tiny/.events/shard-00001.jsonl"} <= set(files_of(out))


def test_a_second_run_copies_what_is_missing_and_touches_nothing_else(collect, nodes, out):
    code, summary, _ = collect(nodes[0])
    assert (code, summary.splitlines()) == (0, [f"{out / 'tiny'}: 1 of 2 shards, 1 of them copied now", "missing: 1"])
    before = shard_of(out).stat().st_mtime_ns
    assert "2 of 2 shards, 1 of them copied now" in collect(*nodes)[1]
    assert "2 of 2 shards, 0 of them copied now" in collect(*nodes)[1]
    assert shard_of(out).stat().st_mtime_ns == before


def test_a_shard_in_two_places_is_copied_once_if_its_bytes_are_the_same(collect, nodes):
    for path in sorted((nodes[0] / "tiny").glob("shard-00000.*")):
        shutil.copy(path, nodes[1] / "tiny")
    assert "2 of 2 shards, 2 of them copied now" in collect(*nodes)[1]


@pytest.mark.parametrize("where", ["two sources", "there already", "there without manifest"])
def test_a_shard_in_two_places_with_other_bytes_is_refused_before_anything_is_copied(collect, nodes, out, where):
    """Other bytes that their own manifest agrees with: no copy of them is the damaged one."""
    other = out if where.startswith("there") else nodes[1]
    (other / "tiny").mkdir(parents=True, exist_ok=True)
    for path in sorted((nodes[0] / "tiny").glob("shard-00000.*")):
        shutil.copy(path, other / "tiny")
    flip(shard_of(other))
    digest = hashlib.sha256(shard_of(other).read_bytes()).hexdigest()
    edit(shard_of(other).with_suffix(".json"), sha256=digest)
    if where == "there without manifest":
        shard_of(other).with_suffix(".json").unlink()
    before = files_of(out) if out.exists() else {}
    code, _, line = collect(*nodes)
    assert code == 2
    assert "other bytes" in line or "different bytes" in line
    assert str(shard_of(other)) in line
    assert (files_of(out) if out.exists() else {}) == before


@pytest.mark.parametrize("spoil", ["flipped", "truncated", "no manifest", "damaged manifest", "foreign"])
def test_a_damaged_shard_is_named_and_left_out_and_the_others_are_copied(collect, nodes, out, spoil):
    path = shard_of(nodes[0])
    if spoil == "flipped":
        flip(path)
    elif spoil == "no manifest":
        path.with_suffix(".json").unlink()
    elif spoil == "damaged manifest":
        path.with_suffix(".json").write_text("{")
    else:
        path.write_bytes(path.read_bytes()[:-1] if spoil == "truncated" else b"mine")
    code, summary, line = collect(*nodes)
    assert code == 1
    assert f"damaged, left out: {path.with_suffix('')}" in summary
    assert summary.splitlines()[1] == "missing: 0"
    assert "1 damaged" in line
    assert not list((out / "tiny").glob("*00000*"))
    assert shard_of(out, 1).exists()


def test_a_damaged_shard_is_taken_from_another_place_that_has_it_whole(collect, nodes, out):
    for path in sorted((nodes[0] / "tiny").glob("shard-00000.*")):
        shutil.copy(path, nodes[1] / "tiny")
    flip(shard_of(nodes[0]))
    code, summary, _ = collect(*nodes)
    assert code == 1  # the damaged one is told all the same
    assert "2 of 2 shards" in summary
    assert shard_of(out).read_bytes() == shard_of(nodes[1]).read_bytes()


def test_another_plan_is_refused_with_what_differs(collect, tiny, cache, nodes, out, tmp_path):
    """As when one node has an older release file."""
    older = tmp_path / "tiny.toml"
    older.write_text(tiny.read_text().replace("candidates = 200", "candidates = 100"))
    from render_farm.planning.ensure_plan import ensure_plan
    from render_farm.planning.release import load_release

    shutil.rmtree(nodes[1] / "tiny")
    ensure_plan(load_release(str(older)), nodes[1] / "tiny")
    code, _, line = collect(*nodes)
    assert code == 2
    assert "poses.candidates 200, now 100" in line
    assert str(nodes[1]) in line
    assert not out.exists()


def test_a_shard_of_other_packages_is_refused_with_what_differs(collect, nodes, out):
    """One of another numpy, rendered from the same plan."""
    path = shard_of(nodes[1], 1)
    with ShardFile(path) as shard:
        stored = [name for name, field in SAMPLE_FIELDS.items() if field.stored]
        samples = [encode_sample(shard.read(row, stored)) for row in range(len(shard))]
        own = {name: shard.array(f.path) if f.shape else shard.attrs[name] for name, f in SHARD_FIELDS.items()}
    text = json.loads(own["configuration"])
    text["packages"]["numpy"] = "1.26.3"
    write_shard(path, samples, own | {"configuration": json.dumps(text, sort_keys=True)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(path.with_suffix(".json"), sha256=digest, bytes=path.stat().st_size)
    code, _, line = collect(*nodes)
    assert code == 2
    assert "packages.numpy" in line
    assert "'1.26.3'" in line
    assert str(path) in line
    assert not out.exists()


def test_what_is_moved_is_gone_from_its_source_and_only_that(collect, nodes, out):
    flip(shard_of(nodes[0]))
    expected = files_of(nodes[1])
    assert collect(*nodes, "--move")[0] == 1
    assert shard_of(nodes[0]).exists()
    assert {name: data for name, data in files_of(out).items() if "plan" not in name} == {
        name: data for name, data in expected.items() if "plan" not in name
    }
    assert set(files_of(nodes[1])) == {"tiny/plan.npz", "tiny/rejects.csv"}


def test_a_copy_that_does_not_read_back_keeps_its_source(collect, nodes, out):
    """The copy was fine when it was made; later a byte of it changed."""
    collect(nodes[0])
    flip(shard_of(out))
    code, summary, _ = collect(nodes[0], "--move")
    assert code == 1
    assert f"{shard_of(out)}: does not read back" in summary
    assert shard_of(nodes[0]).exists()


def test_the_folder_itself_is_no_source(collect, nodes, out):
    shutil.copytree(nodes[0], out)
    code, _, line = collect(out, "--move")
    assert (code, line) == (2, f"error: {out}: is the folder to gather in (--out)")
    assert shard_of(out).exists()


def test_a_folder_without_the_release_is_named(collect, nodes, tmp_path):
    code, _, line = collect(nodes[0] / "tiny")
    assert code == 2
    assert f"{nodes[0] / 'tiny'}: holds no folder 'tiny'" in line


def test_reports_of_unfinished_shards_come_along_until_they_are_finished(collect, nodes, out):
    report = nodes[1] / "tiny" / "shard-00000.incomplete.json"
    report.write_text('{"lacks": 1}')
    shutil.copy(EventLog.of(nodes[0] / "tiny", 0).path, EventLog.of(nodes[1] / "tiny", 0).path)
    assert collect(nodes[1])[:2] == (0, f"{out / 'tiny'}: 1 of 2 shards, 1 of them copied now\nincomplete: 0\n")
    assert (out / "tiny" / report.name).read_text() == report.read_text()
    log = EventLog.of(out / "tiny", 0).path.read_bytes()
    assert log
    assert collect(*nodes)[1] == f"{out / 'tiny'}: 2 of 2 shards, 1 of them copied now\n"
    assert not (out / "tiny" / report.name).exists()
    assert EventLog.of(out / "tiny", 0).path.read_bytes() == log  # no line twice


def test_shards_beyond_99999_are_gathered_by_number(collect, nodes):
    folder = nodes[0] / "tiny"
    for shard in (100_000, 99_999):
        shutil.copy(shard_of(nodes[0]), shard_of(nodes[0], shard))
        shutil.copy(folder / "shard-00000.json", folder / f"shard-{shard}.json")
        edit(folder / f"shard-{shard}.json", file=f"shard-{shard}.h5")
        (nodes[1] / "tiny" / f"shard-{shard + 10}.incomplete.json").write_text('{"lacks": 1}')
    found, damaged = find_shards([folder])
    assert ([source.shard for source in found], damaged) == ([0, 99_999, 100_000], [])
    summary = collect(*nodes)[1]
    assert "incomplete: 100009-100010\n" in summary


@pytest.mark.parametrize("told", ["{", "[]", '{"lacks": "some"}'])
def test_a_report_that_cannot_be_read_comes_along_only_where_there_is_no_other(collect, nodes, out, told):
    reports = [node / "tiny" / "shard-00005.incomplete.json" for node in nodes]
    reports[0].write_text(told)
    assert "incomplete: 5" in collect(*nodes)[1]
    assert (out / "tiny" / reports[0].name).read_text() == told
    reports[1].write_text('{"lacks": 1}')
    collect(*nodes)
    assert (out / "tiny" / reports[0].name).read_text() == '{"lacks": 1}'


def test_a_shard_that_is_being_rendered_in_the_folder_is_left_for_later(collect, nodes, out):
    (out / "tiny" / ".locks").mkdir(parents=True)
    with Lock(out / "tiny" / ".locks" / "shard-00000.lock"):
        code, summary, _ = collect(*nodes)
    assert code == 75
    assert "locked: 0" in summary
    assert not shard_of(out).exists()
    assert collect(*nodes)[0] == 0


def test_a_full_disk_leaves_nothing_half_written(collect, nodes, out):
    out.mkdir()
    size = shard_of(nodes[0]).stat().st_size + (nodes[0] / "tiny" / "plan.npz").stat().st_size
    with small_disk(out, f"size={(size >> 10) + 40}k"):
        code, _, line = collect(*nodes)
        assert code == 75
        assert "the disk is full" in line
        left = {path.name for path in (out / "tiny").iterdir() if path.is_file()}
        assert left <= {"plan.npz", "rejects.csv", "shard-00000.h5", "shard-00000.png", "shard-00000.json"}
        assert not shard_of(out, 1).exists()
        subprocess.run(["mount", "-o", "remount,size=64m", str(out)], check=True)
        assert collect(*nodes)[0] == 0
        assert shard_of(out, 1).read_bytes() == shard_of(nodes[1], 1).read_bytes()


STALL = """
import sys, time
from pathlib import Path
from render_farm.farm.transfer import pack, store
from render_farm.files import chunks

source, folder = map(Path, sys.argv[1:])

def stalled():
    yield next(chunks(source))[:1000]
    print("writing", flush=True)
    time.sleep(60)

store(pack(source), stalled(), folder)
"""


def test_what_a_killed_process_left_is_cleared_away(collect, nodes, out):
    process = subprocess.Popen(
        [sys.executable, "-c", STALL, shard_of(nodes[0]), out / "tiny"], cwd=ROOT, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list((out / "tiny").glob("shard-00000.h5.*.part"))
    assert not shard_of(out).exists()
    assert collect(*nodes)[0] == 0
    assert not list((out / "tiny").glob("*.part"))


def test_chunks_that_are_not_the_manifests_leave_nothing(nodes, tmp_path):
    parcel = pack(shard_of(nodes[0]))
    data = list(chunks(shard_of(nodes[0])))
    with pytest.raises(DamagedError, match="sha256"):
        store(parcel, [*data, b"more"], tmp_path)
    assert not list(tmp_path.glob("*shard*"))
    assert store(parcel, data, tmp_path)
    assert not store(parcel, [], tmp_path)  # there already: nothing is read
    assert (tmp_path / "shard-00000.h5").read_bytes() == b"".join(data)


def test_numbers_are_told_as_ranges():
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert ranges([]) == ""
