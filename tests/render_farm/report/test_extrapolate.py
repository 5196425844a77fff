"""`plan` on paper: what it says about large farms follows from a few measured costs, and its counts from real calls."""

from __future__ import annotations

import dataclasses
import math
import sys

import pytest
from traced_files import can_trace, count, trace

from render_farm.errors import InputError
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import load_release
from render_farm.report.costs import (
    ATOMIC,
    SKIN_BYTES,
    Costs,
    core_seconds,
    known_costs,
    measured_costs,
    most_subjects,
    sample_bytes,
    shard_operations,
)
from render_farm.report.extrapolate import advise, extrapolate, side_by_side
from render_farm.shard.events import Begin, Done, Entry, EventLog, Start
from rigging.command_line import main

MVHM = load_release("mvhm")
COSTS = Costs(sample=3.6, basis="as given")


def table(text: str) -> dict[str, str]:
    """The lines "name   value" of a command's output."""
    lines = (line.split("  ", 1) for line in text.splitlines() if "  " in line.strip())
    return {name.strip(): value.strip() for name, value in lines}


# ---- one machine


def test_the_estimate_renders_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--release", "mvhm", "--seconds-per-sample", "3.6"]) == 0
    found = table(capsys.readouterr().out)
    assert found["shards"] == "250 of 160 samples"
    assert found["images"] == "320,000 (8 views)"
    assert found["one core"].startswith("about 40.0 h")  # 40,000 samples
    assert not list(tmp_path.iterdir())


def test_more_paths_views_and_pixels_cost_more():
    cost = known_costs(MVHM).sample
    render = dataclasses.replace(MVHM.render, samples_per_pixel=2 * MVHM.render.samples_per_pixel)
    cameras = dataclasses.replace(MVHM.cameras, views=2 * MVHM.cameras.views)
    assert cost < known_costs(dataclasses.replace(MVHM, render=render)).sample < 2 * cost
    assert known_costs(dataclasses.replace(MVHM, cameras=cameras)).sample == pytest.approx(
        2 * cost, rel=0.01
    )  # skins are baked once


# ---- many machines


def test_a_farm_is_never_faster_than_its_cores_allow_and_uses_nearly_all_of_a_few():
    for machines in (1, 2, 10, 100, 1000, 10_000):
        farm = extrapolate(MVHM, COSTS, machines, 16)
        assert farm.seconds >= MVHM.samples * COSTS.sample / (16 * machines) and 0 < farm.used <= 1
    assert extrapolate(MVHM, COSTS, 1, 16).used > 0.9


def test_a_shard_is_whole_so_250_shards_leave_750_of_1000_machines_idle():
    farm = extrapolate(MVHM, COSTS, 1000, 16)
    assert (farm.cpus, farm.at_once, farm.busy_machines) == (16, 250, 250)
    assert farm.seconds == extrapolate(MVHM, COSTS, 250, 16).seconds
    assert "750 of 1,000 machines get no shard; shard_size = " in advise(farm)


def test_one_more_shard_than_seats_takes_a_whole_round_more():
    seats = extrapolate(MVHM, COSTS, 250, 16, cpus=16)
    fewer = extrapolate(MVHM, COSTS, 249, 16, cpus=16)
    assert fewer.seconds - seats.seconds > 0.9 * seats.shard_seconds


def test_the_advice_holds():
    farm = extrapolate(MVHM, COSTS, 1000, 16)
    size = int(advise(farm).split("shard_size = ")[1].split(" ")[0])
    assert size % 2 == 0
    other = extrapolate(dataclasses.replace(MVHM, shard_size=size), COSTS, 1000, 16)
    assert other.seconds < 0.8 * farm.seconds and advise(other) == ""
    assert advise(extrapolate(MVHM, COSTS, 1, 16)) == ""


def test_cores_per_shard_are_chosen_to_end_soonest():
    for machines in (1, 10, 1000):
        chosen = extrapolate(MVHM, COSTS, machines, 16)
        others = [extrapolate(MVHM, COSTS, machines, 16, cpus=cpus) for cpus in (1, 2, 4, 8, 16)]
        assert chosen.seconds == min(other.seconds for other in others)


def test_samples_are_whole_too():
    one, two = (extrapolate(MVHM, COSTS, 250, 16, cpus=cpus) for cpus in (16, 12))
    assert math.ceil(160 / 16) == 10 and math.ceil(160 / 12) == 14
    assert two.shard_seconds - one.shard_seconds == pytest.approx(4 * COSTS.sample, abs=0.5)


def test_a_sample_costs_its_share_of_the_skins():
    assert most_subjects(MVHM) == MVHM.subjects.count == 400
    fewer = dataclasses.replace(MVHM, samples=320, shard_size=16)
    assert most_subjects(fewer) == 20  # runs of 8 pairs share a subject
    finer = dataclasses.replace(MVHM, subjects=dataclasses.replace(MVHM.subjects, skin_resolution=2048))
    skin = known_costs(finer).sample - known_costs(MVHM).sample
    assert skin == pytest.approx(3 * 3.0 * 400 / MVHM.samples)


def test_skins_are_written_once_by_a_small_farm_and_for_every_run_at_worst():
    small, large = (extrapolate(MVHM, COSTS, machines, 16) for machines in (1, 1000))
    assert large.written - small.written == (2500 - 400) * SKIN_BYTES * MVHM.subjects.skin_resolution**2


def test_with_scratch_samples_are_written_to_out_once_instead_of_twice():
    shared, local = (extrapolate(MVHM, COSTS, 10, 16, scratch, cpus=16) for scratch in (False, True))
    assert shared.written - local.written == MVHM.samples * sample_bytes(MVHM)
    assert local.operations < 0.6 * shared.operations
    assert local.staging == shared.staging == 2 * 10 * 160 * sample_bytes(MVHM)


def test_the_command_puts_farms_side_by_side(capsys):
    assert main(["plan", "--release", "mvhm", "--machines", "1,10,1000", "--cores", "16", "--scratch"]) == 0
    text = capsys.readouterr().out
    farms = [extrapolate(MVHM, known_costs(MVHM), machines, 16, True) for machines in (1, 10, 1000)]
    assert text.endswith(side_by_side(farms) + "\n")
    for farm in farms:
        assert farm.rows()[3][0] == "until done" and farm.rows()[3][1] in text
    assert max(map(len, text.splitlines()[10:-1])) <= 100


@pytest.mark.parametrize("options", [["--machines", "0"], ["--machines", "1,x"], ["--cores", "4", "--cpus", "8"]])
def test_farms_that_cannot_be_are_refused(options, capsys):
    assert main(["plan", "--release", "mvhm", *options]) == 2
    assert capsys.readouterr().err.startswith("error: ")


# ---- measured costs


def test_the_cost_of_a_sample_is_its_seconds_times_the_cores_of_its_worker():
    start, old_start = Start(8, 2, 0, workers=2, cores=8), Start(8, 2, 0, workers=2)  # older logs do not say cores
    done = [Done(sample, 0, seconds, 500) for sample, seconds in enumerate((1.0, 3.0))]
    assert core_seconds(Entry(5.0, "n1", 7, event) for event in (start, *done, Begin(2, 0))) == [4.0, 12.0]
    assert core_seconds(Entry(5.0, "n1", 7, event) for event in (old_start, *done)) == [1.0, 3.0]


def log_samples(out, release, seconds, shard=0):
    log = EventLog.of(out / release.name, shard)
    log.add(Start(samples=9, views=2, staged=0, workers=1, cores=2))
    for sample, took in enumerate(seconds):
        log.add(Done(sample, worker=0, seconds=took, megabytes=1.0))


def test_shards_rendered_already_tell_the_cost_and_how_many_samples_it_rests_on(tmp_path, capsys):
    log_samples(tmp_path, MVHM, [1.0, 2.0], shard=3)
    log_samples(tmp_path, MVHM, [3.0], shard=4)
    costs = measured_costs(MVHM, tmp_path)
    assert costs.sample == 4.0
    assert main(["plan", "--release", "mvhm", "--measured", str(tmp_path)]) == 0
    found = table(capsys.readouterr().out)
    assert found["a sample"].startswith("4.00 s of one core, mean of 3 samples in 2 shard(s) of ")
    assert found["one core"].startswith("about 44.4 h")


def test_a_folder_without_samples_measures_nothing(tmp_path):
    with pytest.raises(InputError, match="no sample was rendered there"):
        measured_costs(MVHM, tmp_path)


def test_the_cost_of_other_work_is_refused(tiny, tmp_path):
    release = load_release(str(tiny))
    ensure_plan(release, tmp_path / release.name)
    log_samples(tmp_path, release, [1.0])
    assert measured_costs(release, tmp_path).sample == 2.0
    finer = dataclasses.replace(release, render=dataclasses.replace(release.render, samples_per_pixel=64))
    with pytest.raises(InputError, match=r"other cameras or settings \(render\.samples_per_pixel 1, now 64\)"):
        measured_costs(finer, tmp_path)


# ---- changes of files, as the kernel sees them


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or may not trace")
def test_changes_of_files_are_those_of_a_real_shard(tiny, tmp_path):
    release, out, local, samples, workers = load_release(str(tiny)), tmp_path / "out", tmp_path / "local", 4, 2
    folder, skins, scratch = out / release.name, out / ".cache" / "skin", local / release.name / ".staging"
    ensure_plan(release, folder)
    for made_once in (folder / ".events", skins, scratch):
        made_once.mkdir(parents=True)
    before = {str(path) for path in out.rglob("*")}
    command = [sys.executable, "-m", "render_farm", "render", "--release", tiny, "--shard", "0", "--out", out]
    command += ["--samples", samples, "--workers", workers, "--scratch", local]
    trace(list(map(str, command)), tmp_path / "trace.log")

    found, there, skin = (count(tmp_path / "trace.log", place, before) for place in (folder, local, skins))
    events = list(EventLog.of(folder, 0).read())
    beats = found["touched"]
    assert 0 <= beats <= (events[-1].time - events[0].time) / 10 + 2
    assert found.total() == shard_operations(samples, workers, 0.0, scratch=True) + beats
    packed = ATOMIC + 1  # the shard's file is made on the local disk first, and removed there
    assert found.total() + there.total() == shard_operations(samples, workers, 0.0) + packed + beats
    assert skin.total() == ATOMIC * skin["created"]
    assert len(list(skins.iterdir())) <= skin["created"]
