"""A shard whose labels disagree with what Cycles sees is not written."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[3]

# A worker whose Cycles really gets another mesh, 4 mm to the side, and the command with such workers. A module of its
# own, which worker processes can import by name.
DISPLACED = """
    import sys

    from render_farm.shard import missing
    from rigging.command_line import main
    from render_farm.shard.job import SampleJob


    class Displaced(SampleJob):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            set_body = self.studio.set_body
            self.studio.set_body = lambda style, left, vertices: set_body(style, left, vertices + [0.004, 0, 0])


    def command():
        missing.SampleJob = Displaced
        sys.exit(main(sys.argv[1:]))
"""


def test_a_shard_that_disagrees_with_cycles_is_not_written(tiny, cache, tmp_path):
    (tmp_path / "displaced.py").write_text(textwrap.dedent(DISPLACED))
    few = ("--samples", "2", "--attempts", "1", "--workers", "1")
    options = ("--release", tiny, "--shard", "0", "--out", tmp_path / "out", "--cache", cache, *few)
    command = [sys.executable, "-c", "import displaced; displaced.command()", "render", *map(str, options)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert "2 of 2 samples are set aside, first sample 0 (disagreement, 1 attempt(s)" in line
    assert "disagree with Cycles" in line
    assert "Traceback" not in result.stderr
    (left,) = (tmp_path / "out" / "tiny").glob("shard-*")
    assert left.name == "shard-00000.incomplete.json"
    assert not list((tmp_path / "out" / "tiny" / ".staging").rglob("*.staged"))
