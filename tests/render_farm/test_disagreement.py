"""A shard whose labels disagree with what Cycles sees is not written."""

import importlib
import sys
import textwrap

import pytest

from render_farm import shard
from render_farm.errors import RenderError
from render_farm.release import load_release

# In a module that the spawned worker can import by name. Cycles really gets another mesh: 4 mm to the side.
JOB = """
    from render_farm.job import SampleJob

    class Displaced(SampleJob):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            set_body = self.studio.set_body
            self.studio.set_body = lambda style, left, vertices: set_body(style, left, vertices + [0.004, 0, 0])
"""


@pytest.fixture
def displaced(tmp_path, monkeypatch):
    (tmp_path / "displaced_job.py").write_text(textwrap.dedent(JOB))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("displaced_job").Displaced
    sys.modules.pop("displaced_job", None)


def test_a_shard_that_disagrees_with_cycles_is_not_written(displaced, tiny, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(shard, "SampleJob", displaced)
    request = shard.Request(load_release(str(tiny)), 0, tmp_path / "out", samples=2, cache=cache)
    with pytest.raises(RenderError, match=r"2 of 2 samples failed, first sample 0 .*disagree with Cycles") as error:
        shard.render_shard(request)
    assert error.value.exit_code == 1
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "out" / "tiny").glob("shard-*"))
    assert not list((tmp_path / "out" / "tiny" / ".staging").rglob("*.staged"))
