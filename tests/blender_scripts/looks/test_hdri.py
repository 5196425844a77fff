"""Panoramas are read alike by every process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_first_panorama_of_a_process_does_not_depend_on_how_soon_its_threads_begin():
    words = [sys.executable, "-m", "tests.blender_scripts.looks.held_decoder"]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.split()
    assert first == second
