"""When samples are to blame, and when the machine is: jobs that fail, and nothing is rendered."""

import contextlib
import importlib
import sys
import textwrap
from types import SimpleNamespace

import pytest
import shard_commands

from render_farm.errors import IncompleteError, InputError, RenderError
from render_farm.planning.plan import load_plan
from render_farm.planning.release import load_release
from render_farm.shard import missing
from render_farm.shard.events import Begin, EventLog, Fault, Start
from render_farm.shard.history import History
from render_farm.shard.pool import PoolSettings
from render_farm.shard.render import check_poses
from render_farm.shard.request import Request
from render_farm.shard.staging import Staging

JOBS = """
    class Broken:
        def __init__(self, **_):
            pass

        def __call__(self, sample):
            raise RuntimeError("no usable driver")

    class AllButFirst(Broken):
        def __call__(self, sample):
            if sample > 0:
                super().__call__(sample)

    class Good(Broken):
        def __call__(self, sample):
            pass
"""


@pytest.fixture
def attempt(tiny, undisturbed, tmp_path, monkeypatch):
    """Render shard 0 with a job of JOBS, and return the samples set aside, and those tried before."""
    (tmp_path / "failing_jobs.py").write_text(textwrap.dedent(JOBS))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    plan = load_plan(shard_commands.shard_of(undisturbed).with_name("plan.npz"))

    def run(job, error=None, match="", retry=False):
        monkeypatch.setattr(missing, "SampleJob", getattr(importlib.import_module("failing_jobs"), job))
        settings = PoolSettings(workers=1, attempts=1)
        request = Request(load_release(str(tiny)), 0, tmp_path / "out", pool=settings, retry=retry)
        staging, events = Staging(request.staging), EventLog.of(request.folder, 0)
        staging.open("a configuration")
        with pytest.raises(error, match=match) if error else contextlib.nullcontext():
            missing.render_missing(request, plan, staging, events, "a configuration")
        history = History.of(events.read())
        return sorted(history.quarantined), history.tries

    yield run
    sys.modules.pop("failing_jobs", None)


def test_where_nothing_can_be_rendered_no_sample_is_set_aside(attempt):
    aside, tries = attempt(
        "Broken", RenderError, "nothing can be rendered here: the first 5 samples all failed.*driver"
    )
    assert not aside
    assert not tries


def test_one_sample_that_is_done_clears_the_machine(attempt):
    aside, _ = attempt("AllButFirst", IncompleteError, "7 of 8 samples are set aside")
    assert aside == list(range(1, 8))


def test_samples_that_were_asked_for_again_may_all_fail(attempt):
    aside, _ = attempt("AllButFirst", IncompleteError, "7 of 8")
    aside, _ = attempt("Broken", IncompleteError, "of 8 samples are set aside", retry=True)
    assert aside == list(range(8))


def test_a_sample_under_way_at_two_sudden_ends_is_rendered_last_and_alone(attempt, tmp_path):
    log = EventLog.of(tmp_path / "out" / "tiny", 0)
    log.add(Start(8, 2, 0, 1, configuration="a configuration"))
    for number in range(1, missing.SUSPECT + 1):
        log.add(Fault(2, 0, "lost", "its process ended suddenly", number))
    attempt("Good")
    begun = [entry.event.sample for entry in log.read() if isinstance(entry.event, Begin)]
    assert begun == [0, 1, 3, 4, 5, 6, 7, 2]


@pytest.mark.parametrize(("usable", "words"), [(11, "--samples 3 renders those"), (8, "lower --shard")])
def test_too_few_poses_for_a_shard_are_refused_with_the_samples_that_would_do(tiny, tmp_path, usable, words):
    request = Request(load_release(str(tiny)), 1, tmp_path)
    with pytest.raises(InputError, match=f"needs samples 8 to 15 of release.*the first {usable} only: {words}"):
        check_poses(request, SimpleNamespace(samples=usable), request.indices)
    check_poses(request, SimpleNamespace(samples=16), request.indices)
