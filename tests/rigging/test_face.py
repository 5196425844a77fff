"""`import rigging` gives the package's face, and loads nothing until it is asked."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import rigging


@pytest.mark.parametrize("name", rigging.__all__)
def test_a_name_of_the_face_is_that_of_its_room(name):
    value = getattr(rigging, name)
    assert value is getattr(import_module(value.__module__), name)
    assert name in dir(rigging)


def test_other_names_are_refused_as_in_any_module():
    with pytest.raises(AttributeError, match="module 'rigging' has no attribute 'pose_clips'"):
        rigging.pose_clips  # noqa: B018


def test_importing_the_package_imports_no_room_and_no_numpy():
    code = "import sys, rigging; print([m for m in sys.modules if m.startswith(('rigging.', 'numpy'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
