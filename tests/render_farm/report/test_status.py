"""`status` says from the folder alone how far a release is, whatever lies there, and never writes into it."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dataset_tools.store.incomplete import Quarantined
from render_farm.lock import STALE_SECONDS, Lock, Owner
from render_farm.planning.release import load_release
from render_farm.report.metrics import write_metrics
from render_farm.report.status import read_status
from render_farm.report.status_text import WIDTH, table
from render_farm.shard.events import Begin, Done, Entry, EventLog, Fault, Finish, Recycle, Start, Stop
from rigging.command_line import main

ROOT = Path(__file__).parents[3]
NOW = 1_000_000.0
VIEWS, SIZE, SHARDS = 2, 8, 10
TOML = f"""
name = "farm"
seed = 5
samples = {SIZE * SHARDS}
shard_size = {SIZE}
[cameras]
views = {VIEWS}
image_size = 64
"""


@pytest.fixture(scope="session")
def toml(tmp_path_factory):
    path = tmp_path_factory.mktemp("release") / "farm.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def release(toml):
    return load_release(str(toml))


@pytest.fixture
def folder(tmp_path):
    """The release's folder in OUT."""
    path = tmp_path / "out" / "farm"
    (path / ".locks").mkdir(parents=True)
    return path


def add(log, time, event, host="n1"):
    log.append(Entry(time, host, 11, event))


def work(folder, shard, at, done, each=10.0, host="n1", total=SIZE, scratch=""):
    """Log and staging of a shard that was begun at time `at`, with `done` samples, one after another."""
    log = EventLog.of(folder, shard)
    staged = folder / ".staging" / f"shard-{shard:05d}"
    staged.mkdir(parents=True, exist_ok=True)
    there = len(list(staged.glob("*.staged")))
    add(log, at, Start(total, VIEWS, there, workers=4, device="cpu", scratch=scratch), host)
    for k in range(done):
        sample = shard * SIZE + k
        add(log, at + k * each, Begin(sample, 0), host)
        add(log, at + (k + 1) * each, Done(sample, 0, each, 500 + shard), host)
        (staged / f"sample-{sample:08d}.staged").touch()
    return log


def write(folder, shard, samples=SIZE, told=None, configuration="c1"):
    """A finished shard of ten bytes; its manifest says `told`."""
    path = folder / f"shard-{shard:05d}.h5"
    path.write_bytes(b"0123456789")
    sha256 = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
    manifest = {"bytes": told or 10, "samples": samples, "sha256": sha256, "configuration_hash": configuration}
    path.with_suffix(".json").write_text(json.dumps(manifest))
    shutil.rmtree(folder / ".staging" / path.stem, ignore_errors=True)


def set_aside(log, at, sample, cause="crash"):
    add(log, at, Quarantined(sample, log.shard, cause, "SIGSEGV", 5, 3, f"alone --sample {sample}"))


def lock(folder, shard, heartbeat, **owner):
    path = folder / ".locks" / f"shard-{shard:05d}.lock"
    path.write_text(json.dumps(dataclasses.asdict(Owner.this()) | owner))
    os.utime(path, (heartbeat, heartbeat))


def elsewhere(folder, shard, heartbeat):
    lock(folder, shard, heartbeat, host="n2", namespace="elsewhere", pid=22)


def shard_of(status, number):
    return next(shard for shard in status.begun if shard.shard == number)


@pytest.fixture
def night(folder):
    """A farm at time NOW: something of every kind."""
    add(work(folder, 0, NOW - 40_000, SIZE), NOW - 39_919, Finish(10, "0"))
    write(folder, 0)
    log = work(folder, 1, NOW - 60, 5)
    add(log, NOW - 8, Begin(13, 0))
    lock(folder, 1, NOW - 9000)  # by this process, which is alive, however long it is silent
    work(folder, 2, NOW - 100, 4, host="n2")
    elsewhere(folder, 2, NOW - 20)
    log = work(folder, 3, NOW - 1000, 3, host="n2")
    add(log, NOW - 960, Begin(27, 0), "n2")
    elsewhere(folder, 3, NOW - STALE_SECONDS - 20)
    add(work(folder, 4, NOW - 50_000, 2), NOW - 49_000, Stop("disk full", "no space " * 20))
    lock(folder, 4, NOW - 49_000, started="1")  # a later process has its number
    log = work(folder, 5, NOW - 30_000, 7)
    add(log, NOW - 29_950, Fault(47, 0, "hang", "no answer", 1))
    set_aside(log, NOW - 29_900, 47)
    add(log, NOW - 29_890, Recycle(0, "memory", 3900), "n7")
    write(folder, 6, told=11)
    write(folder, 7)
    (folder / "shard-00007.json").unlink()
    return folder


def test_every_shard_is_in_one_state(night, release):
    status = read_status(night, release, now=NOW)
    found = {shard.shard: shard.state for shard in status.begun}
    assert found == {
        0: "done", 1: "rendering", 2: "rendering", 3: "interrupted", 4: "interrupted", 5: "incomplete",
        6: "damaged", 7: "damaged",
    }  # fmt: skip
    assert status.states == {
        "done": 1, "rendering": 2, "incomplete": 1, "interrupted": 2, "waiting": 2, "damaged": 2
    }  # fmt: skip
    assert status.shards == SHARDS == sum(status.states.values())


def test_who_is_at_work_with_what_since_when(night, release):
    status = read_status(night, release, now=NOW)
    ours, theirs = shard_of(status, 1), shard_of(status, 2)
    assert (ours.pid, ours.rendered, ours.samples, ours.since, ours.seen) == (os.getpid(), 5, SIZE, NOW - 60, NOW - 8)
    assert [(busy.sample, busy.since) for busy in ours.busy] == [(13, NOW - 8)]
    assert (theirs.host, theirs.pid, theirs.workers, theirs.seen) == ("n2", 22, 4, NOW - 20)
    assert (status.crew.workers, status.crew.hosts) == (8, 2)


def test_why_nobody_is_at_a_shard(night, release):
    status = read_status(night, release, now=NOW)
    assert (shard_of(status, 3).reason, [busy.sample for busy in shard_of(status, 3).busy]) == (
        "ended without a word",
        [27],
    )
    assert (shard_of(status, 4).reason[:19], shard_of(status, 4).rendered) == ("disk full: no space", 2)
    assert [(stop.cause, stop.count, stop.shard) for stop in status.stops] == [("disk full", 1, 4)]


def test_failures_and_what_is_set_aside(night, release):
    status = read_status(night, release, now=NOW)
    assert [(t.cause, t.count, t.sample) for t in status.failures] == [("crash", 1, 47), ("hang", 1, 47)]
    (aside,) = shard_of(status, 5).aside
    assert (aside.sample, aside.cause, aside.attempts, aside.command) == (47, "crash", 3, "alone --sample 47")
    assert status.crew.replaced == {"memory": 1}
    assert (status.crew.memory.megabytes, status.crew.memory.host, status.crew.memory.shard) == (3900, "n7", 5)


def test_images_add_up(night, release):
    images = read_status(night, release, now=NOW).images
    assert images.planned == SIZE * SHARDS * VIEWS
    assert images.done == (SIZE + 5 + 4 + 3 + 2 + 7) * VIEWS
    assert images.aside == 1 * VIEWS
    damaged = 2 * SIZE * VIEWS  # wait for a person
    assert images.left == images.planned - images.done - images.aside - damaged


def test_a_pause_counts_neither_as_work_nor_against_the_speed(folder, release):
    work(folder, 0, NOW - 50_000, 8, each=10)
    work(folder, 1, NOW - 200, 5, each=40)
    speed = read_status(folder, release, now=NOW).speed
    assert speed.rendered_seconds == 80 + 200
    assert speed.overall == pytest.approx(13 * VIEWS / 280)
    assert (speed.recent_seconds, speed.recent) == (200, 5 * VIEWS / 200)


def test_hosts_that_render_at_once_add_their_speed(folder, release):
    for shard in range(4):
        work(folder, shard, NOW - 600 + 5 * shard, 8, each=70)
    speed = read_status(folder, release, now=NOW).speed
    assert speed.rendered_seconds == 575
    assert speed.overall == pytest.approx(32 * VIEWS / 575)


def test_time_left_is_by_the_recent_speed_else_by_the_overall_one_else_not_known(folder, release):
    assert read_status(folder, release, now=NOW).speed.seconds_left is None
    work(folder, 0, NOW - 400, 8, each=50)
    planned = SIZE * SHARDS * VIEWS
    status = read_status(folder, release, now=NOW)
    assert status.speed.left_from == "recent"
    assert status.speed.recent == 6 * VIEWS / 300  # at 300 s ago, the second was done
    assert status.speed.seconds_left == pytest.approx((planned - 8 * VIEWS) / status.speed.recent)
    later = read_status(folder, release, now=NOW + 9000)
    assert (later.speed.left_from, later.speed.recent) == ("overall", 0)
    assert later.speed.seconds_left == pytest.approx((planned - 8 * VIEWS) / (8 * VIEWS / 400))


def test_staged_samples_on_another_disk_and_of_another_folder_are_counted_by_the_log(folder, release):
    work(folder, 0, NOW - 1000, 3, scratch="/local")
    log = work(folder, 1, NOW - 100, 7)
    set_aside(log, NOW - 10, 15)
    lacking = [{"sample": 15, "cause": "crash", "reason": "SIGSEGV", "seed": 5, "attempts": 3, "command": "c"}]
    (folder / "shard-00001.incomplete.json").write_text(json.dumps({"samples": SIZE, "lacking": lacking}))
    work(folder, 2, NOW - 1000, 3)
    shutil.rmtree(folder / ".staging")
    status = read_status(folder, release, now=NOW)
    assert [(s.state, s.rendered) for s in status.begun] == [("interrupted", 3), ("incomplete", 7), ("interrupted", 0)]
    EventLog.of(folder, 1).path.unlink()  # the record is enough
    status = read_status(folder, release, now=NOW)
    assert (shard_of(status, 1).state, shard_of(status, 1).aside[0].sample) == ("incomplete", 15)


def plan(folder, release, pairs=SIZE * SHARDS // 2):
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "plan.npz", release=release.to_json(), wrist=np.zeros((pairs, 2, 2)))


def test_a_folder_tells_its_own_size_where_there_is_a_plan(folder, release):
    work(folder, 0, NOW - 100, 3)
    unknown = read_status(folder, now=NOW)
    assert (unknown.shards, unknown.states["waiting"], unknown.images.planned) == (None, None, None)
    assert unknown.images.done == 3 * VIEWS
    assert "unknown" in table(unknown)
    plan(folder, release)
    assert read_status(folder, now=NOW).images == read_status(folder, release, now=NOW).images


def test_a_plan_that_is_damaged_of_another_release_or_short_of_poses_is_named(folder, release):
    def said():
        return [problem.what for problem in read_status(folder, release, poses="nyu:/b", now=NOW).problems]

    plan(folder, dataclasses.replace(release, seed=6).with_poses("nyu:/a"), pairs=3)
    short, poses, seed = said()
    assert "poses for the first 6 of 80 samples" in short
    assert poses == "made with the poses nyu:/a, not nyu:/b"
    assert "seed 6, now 5" in seed
    (folder / "plan.npz").write_bytes(b"PK\x03\x04 half a file")
    assert "not a whole plan" in said()[0]


def test_foreign_files_and_shards_that_should_not_be_there_or_are_gone_are_named(folder, release):
    write(folder, 0)
    write(folder, 1)
    write(folder, 2, samples=4, configuration="c2")
    write(folder, 12)
    add(work(folder, 3, NOW - 900, SIZE), NOW - 800, Finish(1, "0"))
    shutil.rmtree(folder / ".staging")
    (folder / "notes.txt").touch()
    (folder / ".shard-00004.h5.17-3.tmp").touch()
    status = read_status(folder, release, now=NOW)
    assert status.other_files == ("notes.txt",)
    assert {(problem.file, problem.what) for problem in status.problems} == {
        ("shard-00002.h5", "of another configuration than most, with 4 samples"),
        ("shard-00003.h5", "was written, and is gone"),
        ("shard-00012", "the release has shards 0 to 9"),
    }
    assert status.states["done"] == 3


def test_a_shard_on_a_nodes_own_disk_is_known_by_its_log_while_that_goes_on(folder, release):
    work(folder, 5, NOW - 100, 3)
    shutil.rmtree(folder / ".staging")
    status = read_status(folder, release, now=NOW)
    assert status.states["rendering"] == 1
    assert shard_of(status, 5).rendered == 3
    assert shard_of(status, 5).host == "n1"
    later = read_status(folder, release, now=NOW + STALE_SECONDS)
    assert later.states["interrupted"] == 1


def test_shards_beyond_99999_are_told_of_by_number(folder, release):
    vast = dataclasses.replace(release, samples=SIZE * 100_002)
    write(folder, 99_999)
    write(folder, 100_000)
    work(folder, 100_001, NOW - 900, 3)
    work(folder, 99_998, NOW - 900, 3)
    write(folder, 100_002)
    status = read_status(folder, vast, now=NOW)
    assert [(shard.shard, shard.state) for shard in status.begun] == [
        (99_998, "interrupted"), (99_999, "done"), (100_000, "done"), (100_001, "interrupted")
    ]  # fmt: skip
    assert [problem.file for problem in status.problems] == ["shard-100002"]
    assert (status.other_files, status.states["waiting"]) == ((), 100_002 - 4)


def test_a_shard_that_is_being_written_or_published_is_not_foreign(folder, release):
    for name in ("shard-00003.h5.1a2b3c4d.part", "manifest.json", "README.md", "shard-00003.png"):
        (folder / name).touch()
    assert read_status(folder, release, now=NOW).other_files == ()


def tree(folder):
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


GARBAGE = [b"", b"{", b"\xff\xfe\x00", b"null", b"[1, 2]", b'{"samples": "x", "lacking": [3], "bytes": [], "pid": {}}']


@pytest.mark.parametrize("garbage", GARBAGE)
def test_whatever_is_half_written_or_foreign_is_passed_over(night, release, garbage):
    for path in [path for path in night.rglob("*") if path.is_file()]:
        path.write_bytes(garbage)
    for name in ("plan.npz", "shard-00008.incomplete.json", "shard-00009.h5.1a2b3c4d.part", ".locks/plan.lock"):
        (night / name).write_bytes(garbage)
    (night / "shard-00009.h5").mkdir()
    before = tree(night)
    status = read_status(night, release, now=time.time())
    assert sum(status.states.values()) == SHARDS
    assert status.states["done"] == 0
    assert table(status)
    assert tree(night) == before


def test_nothing_is_written_into_the_folder(night, release, toml, tmp_path, capsys):
    plan(night, release)
    before = tree(night.parent)
    for more in ([], ["--json"], ["--prometheus", str(tmp_path / "farm.prom")], ["--verify"]):
        main(["status", "--release", str(toml), "--out", str(night.parent), *more])
    assert tree(night.parent) == before


def command(out, toml, *more):
    return ["status", "--release", str(toml), "--out", str(out), *map(str, more)]


def test_the_table_shows_all_of_it_and_fits_a_terminal(night, release):
    text = table(read_status(night, release, now=NOW))
    for words in (
        "1 of 10 done, 2 rendering, 1 incomplete, 2 interrupted, 2 not begun, 2 damaged", "58 of 160 done (36 %)",
        "images/s", "time left", "8 on 2 hosts", "memory at most 3,900 MB (n7, shard 5)", "1 replaced (memory 1)",
        "00001  5/8 ", "00002  4/8      n2", "disk full: no space", "ended without a word, at sample 27",
        "shard 00005 sample 47: crash, tried 3 times: SIGSEGV", "alone --sample 47", "1 x hang", "slowest samples",
        "has 10 bytes, its manifest says 11", "has no manifest", ".events/shard-0000n.jsonl",
    ):  # fmt: skip
        assert words in text
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_a_long_list_is_cut_and_says_so(folder, release):
    big = dataclasses.replace(release, samples=60 * SIZE)
    for shard in range(25):
        work(folder, shard, NOW - 1000, 1)
    lines = table(read_status(folder, big, now=NOW)).splitlines()
    assert sum("1/8" in line for line in lines) == 20
    assert "  ... and 5 more (--json tells all)" in lines


def test_json_is_the_status_with_numbers(night, release, toml, capsys):
    assert main(command(night.parent, toml, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {field.name for field in dataclasses.fields(read_status(night, release))}
    assert told["images"]["planned"] == SIZE * SHARDS * VIEWS
    assert type(told["speed"]["overall"]) is float
    assert told["begun"][5]["aside"][0]["command"] == "alone --sample 47"


def test_metrics_are_read_by_prometheus_own_parser(night, release, tmp_path):
    path = tmp_path / "farm.prom"
    write_metrics(night, path, release)
    families = {family.name: family for family in text_string_to_metric_families(path.read_text())}
    assert all(name.startswith("mvhm_") and family.documentation for name, family in families.items())
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    of = ("release", "farm")
    assert values["mvhm_shards", of, ("state", "damaged")] == 2
    assert values["mvhm_images_planned", of] == SIZE * SHARDS * VIEWS
    assert values["mvhm_sample_failures_total", ("cause", "hang"), of] == 1
    assert values["mvhm_sample_failures_total", ("cause", "lost"), of] == 0
    assert values["mvhm_worker_memory_max_bytes", of] == 3.9e9
    assert families["mvhm_sample_failures"].type == "counter"


def test_only_the_shards_that_are_asked_for(night, toml, capsys):
    assert main(command(night.parent, toml, "--shards", "0-1,9", "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["shards"], told["states"]["waiting"], [s["shard"] for s in told["begun"]]) == (3, 1, [0, 1])
    assert told["images"]["planned"] == 3 * SIZE * VIEWS


def test_truncated_shards_need_fewer_images(folder, toml, capsys):
    work(folder, 0, time.time() - 50, 2, total=2)
    assert main(command(folder.parent, toml, "--samples", "2", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["images"]["planned"] == 2 * SHARDS * VIEWS


def test_verify_reads_the_bytes(folder, toml, capsys):
    write(folder, 0)
    write(folder, 1)
    assert main(command(folder.parent, toml, "--verify")) == 0
    (folder / "shard-00001.h5").write_bytes(b"0123456780")
    assert main(command(folder.parent, toml)) == 0  # its size is right
    capsys.readouterr()
    assert main(command(folder.parent, toml, "--verify")) == 1
    out = capsys.readouterr().out
    assert "shard-00001.h5: damaged, its sha256" in out
    assert "1 of 10 done, 8 not begun, 1 damaged" in out


def test_nothing_rendered_yet_is_one_clear_line(folder, toml, capsys):
    assert main(command(folder.parent, toml)) == 0
    assert "nothing is rendered yet: 10 shards, 160 images to do" in capsys.readouterr().out


def test_the_plan_being_made_is_told(folder, toml, capsys):
    with Lock(folder / ".locks" / "plan.lock"):
        assert main(command(folder.parent, toml)) == 0
    assert f"process {os.getpid()} on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--out", "/nowhere"), "--out /nowhere: there is no such folder"),
        (("--release", "fram"), "--release fram: no such release"),
        (("--shards", "4-99"), "--shards 4-99: the release has shards 0 to 9"),
        (("--shards", "4-"), "--shards 4-: must be"),
        (("--watch", "0"), "positive number"),
        (("--prometheus", "/nowhere/a.prom"), "/nowhere/a.prom: cannot be written"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(folder, toml, capsys, more, words):
    assert main(command(folder.parent, toml, *more)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert words in error


def test_a_folder_whose_release_file_is_elsewhere_is_found_by_its_name(night, release, capsys):
    plan(night, release)
    assert main(command(night.parent, "farm")) == 0
    assert "1 of 10 done" in capsys.readouterr().out


def test_watch_goes_on_until_ctrl_c_and_loads_neither_blender_nor_ray(night, toml):
    code = "import sys; from rigging.command_line import main; code = main(sys.argv[1:]); "
    code += "print([m for m in ('bpy', 'ray', 'torch') if m in sys.modules]); sys.exit(code)"
    arguments = [sys.executable, "-c", code, *command(night.parent, toml, "--watch", "0.1")]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = 0
    while seen < 2:
        seen += process.stdout.readline().startswith("release farm")
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (130, "")
    assert out.splitlines()[-1] == "[]"


def test_a_shard_that_was_really_rendered(real_shard, capsys):
    out = real_shard.parent.parent
    assert main(["status", "--release", "demo", "--out", str(out), "--json", "--verify"]) == 0
    told = json.loads(capsys.readouterr().out)
    release = load_release("demo")
    (shard,) = told["begun"]
    assert (shard["shard"], shard["state"], shard["rendered"]) == (0, "done", 4)
    assert told["states"]["waiting"] == release.shards - 1
    assert told["images"]["done"] == 4 * release.cameras.views
    assert told["speed"]["overall"] > 0 and told["speed"]["seconds_left"] > 0
    assert len(told["slowest"]) == 4 and told["slowest"][0]["seconds"] > 0
    assert 100 < told["crew"]["memory"]["megabytes"] < 800
    assert (told["problems"], told["other_files"], told["failures"]) == ([], [], [])


def test_a_large_release_is_read_quickly(tmp_path, measured):
    shards, size, views = 250, 160, 8
    line = '{"time": %.2f, "host": "n%d", "pid": 7, "event": "%s", "sample": %d, "worker": %d%s}\n'
    (tmp_path / ".events").mkdir()
    for shard in range(shards):
        start = {"time": NOW, "host": "n0", "pid": 7, "event": "start", "samples": size, "views": views, "staged": 0}
        lines = [json.dumps(start | {"workers": 8, "device": "cpu", "scratch": "/local"}) + "\n"]
        for k in range(size):
            at, sample = NOW + 3 * k, shard * size + k
            lines.append(line % (at, shard % 8, "begin", sample, k % 8, ""))
            lines.append(line % (at + 3, shard % 8, "done", sample, k % 8, ', "seconds": 24.512, "megabytes": 640'))
        EventLog.of(tmp_path, shard).path.write_text("".join(lines))
    before = time.process_time()
    status = read_status(tmp_path, load_release("mvhm"), now=NOW + 3 * size)
    seconds = time.process_time() - before
    measured(f"status of {shards} shards, {2 * shards * size:,} events: {seconds:.2f} s of one core")
    assert status.images.done == shards * size * views
