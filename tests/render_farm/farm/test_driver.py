"""What `make farm` does about shards, workers and nodes that fail, on a cluster that does as the test says."""

import contextlib
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fake_cluster import DONE, HANGS, Clock, FakeCluster, lost

from render_farm.device import device_kind
from render_farm.errors import InputError, PassingError
from render_farm.farm import admission, fleet
from render_farm.farm.admission import Admission
from render_farm.farm.driver import Driver
from render_farm.farm.farm_request import FarmRequest
from render_farm.farm.fleet import Fleet
from render_farm.farm.node import Report, facts
from render_farm.outcome import Cause, Result
from render_farm.planning.ensure_plan import node_key
from render_farm.planning.release import load_release
from render_farm.shard.request import Request


@pytest.fixture(scope="module")
def four(tiny, tmp_path_factory):
    """The tiny release in four shards."""
    path = tmp_path_factory.mktemp("four") / "tiny.toml"
    path.write_text(tiny.read_text().replace("shard_size = 8", "shard_size = 4"))
    return load_release(str(path))


@pytest.fixture(scope="module")
def report(four, tmp_path_factory):
    """That of a node that fits."""
    device, inputs = device_kind(four.render), node_key(four, tmp_path_factory.mktemp("out") / four.name)
    return Report("host", "boot", (0, 1, 2, 3), facts(), device, inputs, "CPU: 4 cores", True)


@pytest.fixture
def cluster(report, monkeypatch):
    """A cluster of two nodes with one worker each."""
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    made = FakeCluster(clock, report)
    made.add("a")
    made.add("b")
    return made


@pytest.fixture
def farm(four, cluster, tmp_path):
    """A farm on the cluster, for all four shards."""
    request = FarmRequest(Request(four, 0, tmp_path), (0, 1, 2, 3))
    with contextlib.closing(Driver(request, Admission(request, Fleet(cluster), "mark"))) as driver:
        yield driver


def failed(cause, reason="why"):
    return Result(None, cause, reason)


def test_all_shards_are_done_and_every_node_has_work(farm, cluster):
    tally = farm.run()
    assert tally.done == {0, 1, 2, 3}
    assert tally.exit_code == 0
    assert {address for address, _ in cluster.given} == {"a", "b"}
    assert list(tally.table()) == ["4 shards: 4 done"]


def test_a_shard_that_fails_goes_to_another_worker_until_it_is_given_up(farm, cluster):
    cluster.render = lambda address, shard: failed(Cause.ERROR, "nothing can be rendered here") if shard == 1 else DONE
    tally = farm.run()
    assert tally.done == {0, 2, 3}
    assert [shard for _, shard in cluster.given].count(1) == 3
    assert {address for address, shard in cluster.given if shard == 1} == {"a", "b"}
    assert tally.exit_code == 1
    assert list(tally.table()) == ["4 shards: 3 done, 1 failed", "  shard 1: failed: nothing can be rendered here"]


def test_a_broken_machine_rests_while_the_others_do_its_shards(farm, cluster):
    cluster.render = lambda address, shard: failed(Cause.ERROR) if address == "a" else DONE
    assert farm.run().done == {0, 1, 2, 3}
    assert Counter(address for address, _ in cluster.given)["a"] <= 3


def test_a_shard_whose_worker_or_node_is_lost_goes_to_another(farm, cluster):
    def render(address, shard):
        if (address, shard) == ("b", 1):
            del cluster.there["b"]
            return HANGS
        return lost() if cluster.given.count(("a", 0)) == 1 and shard == 0 else DONE

    cluster.render = render
    tally = farm.run()
    assert tally.done == {0, 1, 2, 3}
    assert [address for address, shard in cluster.given if shard == 1] == ["b", "a"]
    assert cluster.given.count(("a", 0)) == 2


def test_a_shard_that_is_lost_with_every_worker_is_given_up(farm, cluster):
    cluster.render = lambda address, shard: lost() if shard == 2 else DONE
    tally = farm.run()
    assert tally.done == {0, 1, 3}
    assert tally.exit_code == 1
    assert tally.given_up[2].reason == "5 workers were lost with it: its process died"


def test_a_node_that_comes_later_gets_work(farm, cluster):
    def render(address, shard):
        if address != "c":
            cluster.add("c")
            return HANGS
        return DONE

    cluster.render = render
    while farm.tally is None or len(farm.tally.done) < 2:
        farm.turn()
    assert cluster.given[-2:] == [("c", 2), ("c", 3)]


def test_a_shard_that_others_render_is_looked_at_again(farm, cluster):
    cluster.render = lambda address, shard: failed(Cause.LOCKED) if shard == 0 and len(cluster.given) < 9 else DONE
    tally = farm.run()
    assert tally.done == {0, 1, 2, 3}
    assert cluster.clock.now > 1000 + 5 + 10 + 20  # longer and longer between


def test_a_shard_that_others_never_finish_is_left_to_them(farm, cluster):
    cluster.render = lambda address, shard: failed(Cause.LOCKED, "locked by process 7") if shard == 0 else DONE
    tally = farm.run()
    assert tally.done == {1, 2, 3}
    assert tally.exit_code == 75
    assert list(tally.table())[1] == "  shard 0: locked by others: locked by process 7"


def test_a_shard_that_was_locked_and_is_given_up_keeps_no_other_waiting(farm, cluster):
    def render(address, shard):
        first = [number for _, number in cluster.given].count(0) == 1
        return DONE if shard > 1 else failed(Cause.LOCKED) if shard == 1 or first else failed(Cause.INPUT)

    cluster.render = render
    assert set(farm.run().given_up) == {0, 1}


@pytest.mark.parametrize(("cause", "code", "label"), [(Cause.INPUT, 2, "refused"), (Cause.INCOMPLETE, 1, "incomplete")])
def test_what_another_try_cannot_change_is_given_up_at_once(farm, cluster, cause, code, label):
    cluster.render = lambda address, shard: failed(cause) if shard == 3 else DONE
    tally = farm.run()
    assert [shard for _, shard in cluster.given].count(3) == 1
    assert tally.exit_code == code
    assert list(tally.table()) == [f"4 shards: 3 done, 1 {label}", f"  shard 3: {label}: why"]


def test_a_farm_whose_disks_are_all_full_ends_with_try_later(farm, cluster):
    cluster.render = lambda address, shard: failed(Cause.DISK_FULL, "the disk is full")
    with pytest.raises(PassingError, match="the disk is full"):
        farm.run()


def test_a_worker_whose_disk_is_full_waits_while_another_works(farm, cluster):
    cluster.render = lambda address, shard: failed(Cause.DISK_FULL) if address == "a" else DONE
    assert farm.run().done == {0, 1, 2, 3}
    assert [address for address, _ in cluster.given].count("a") == 1


def differing(report):
    return {
        "code": Result(replace(report, facts=report.facts | {"rigging/x.py": "1"})),
        "packages": Result(replace(report, facts=report.facts | {"package numpy": "1.0"})),
        "processor": Result(replace(report, device="cpu x86_64 v9")),
        "pose files": Result(replace(report, inputs="other")),
        "folder": Result(replace(report, shares_out=False)),
        "no blender": failed(Cause.INPUT, "bpy is not installed"),
    }


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("code", "rigging/x.py '1', at the driver not there"),
        ("packages", "package numpy '1.0', at the driver '"),
        ("processor", "it is 'cpu x86_64 v9', this release is rendered on"),
        ("pose files", "its pose files, panoramas or photographs are not those of the plan"),
        ("folder", "share one folder, or render with --collect DIR"),
        ("no blender", "bpy is not installed"),
    ],
)
def test_a_node_that_would_give_other_bytes_is_left_out_with_what_differs(farm, cluster, report, caplog, what, words):
    cluster.add("b", inspection=differing(report)[what])
    assert farm.run().done == {0, 1, 2, 3}
    assert {address for address, _ in cluster.given} == {"a"}
    assert re.search(f"node b is not used: .*{re.escape(words)}", caplog.text)


def test_a_farm_without_a_node_that_fits_says_why(farm, cluster):
    for address in "ab":
        cluster.add(address, inspection=failed(Cause.INPUT, f"bpy is not installed on {address}"))
    with pytest.raises(InputError, match="no node can be used: bpy is not installed on a; bpy is not installed on b"):
        farm.run()


def test_a_farm_without_room_for_a_worker_says_so(farm, cluster):
    for address in "ab":
        cluster.add(address, cpus=0.5)
    with pytest.raises(InputError, match="none of 2 has 1 CPUs for a worker"):
        farm.run()


def test_a_release_that_cannot_be_planned_ends_the_farm_as_it_ends_a_render(farm, cluster, monkeypatch):
    monkeypatch.setattr(admission, "make_plan", lambda *_: failed(Cause.INPUT, "no such poses"))
    with pytest.raises(InputError, match=r"planning on [ab]: no such poses"):
        farm.run()


def test_a_node_that_is_lost_while_it_plans_is_replaced_by_another(farm, cluster, monkeypatch):
    make_plan, tries = admission.make_plan, []

    def dies_once(*arguments):
        tries.append(arguments)
        return lost() if len(tries) == 1 else make_plan(*arguments)

    monkeypatch.setattr(admission, "make_plan", dies_once)
    assert farm.run().done == {0, 1, 2, 3}
    assert len(tries) == 2


def test_a_worker_that_is_lost_again_and_again_rests_longer_each_time(farm, cluster):
    cluster.render = lambda address, shard: lost() if address == "a" else HANGS
    while cluster.clock.now < 1300:
        farm.turn()
    assert 3 < Counter(address for address, _ in cluster.given)["a"] < 9


def test_a_node_whose_inspection_dies_is_left_out(farm, cluster, caplog):
    cluster.add("b", inspection=lost("Blender crashed"))
    assert farm.run().done == {0, 1, 2, 3}
    assert "node b is not used: Blender crashed" in caplog.text


def test_after_ten_minutes_without_a_node_the_farm_ends_with_try_later(farm, cluster):
    cluster.render = lambda address, shard: cluster.there.clear()
    with pytest.raises(PassingError, match="no usable node for 10 min"):
        farm.run()
    assert cluster.clock.now > 1000 + admission.PATIENCE_SECONDS


def test_whatever_ends_the_farm_stops_what_is_rendered(farm, cluster):
    cluster.render = lambda address, shard: HANGS
    while len(cluster.given) < 2:
        farm.turn()
    farm.close()
    assert cluster.stopped == 2


def test_only_the_fleet_changes_nodes_and_workers():
    """Their fields are assigned nowhere else."""
    source = Path(fleet.__file__)
    fields = {*fleet.Worker.__dataclass_fields__, *fleet.Node.__dataclass_fields__} - {"id", "number"}
    for path in source.parent.glob("*.py"):
        if path != source:
            text = path.read_text(encoding="utf-8")
            assert not [name for name in fields for of in ("worker", "node") if f"{of}.{name} = " in text], path
