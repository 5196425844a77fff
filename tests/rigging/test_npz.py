"""An archive is read whole, or one of two reasons is given: the system's, or that it is no such archive."""

import contextlib
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.npz import read_npz


def archive():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(12.0).reshape(3, 4), text=np.array("x"))
    return buffer.getvalue()


WHOLE = archive()


def test_what_was_saved_is_read(tmp_path):
    (tmp_path / "a.npz").write_bytes(WHOLE)
    found = read_npz(tmp_path / "a.npz")
    assert (found["a"] == np.arange(12.0).reshape(3, 4)).all()
    assert str(found["text"]) == "x"


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_damage_is_a_value_error_whatever_it_leads_numpy_into(tmp_path_factory, place, data, cut):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(WHOLE[:place] + (b"" if cut else data + WHOLE[place + len(data) :]))
    with contextlib.suppress(ValueError):
        read_npz(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "the file is empty"), (b"<html>", "it does not begin as one"), (b"\x80\x04.", "it does not begin as one"),
     (b"PK\x03\x04", "not a zip file"), (b"\x93NUMPY", "magic string")],
)  # fmt: skip
def test_other_files_are_told(tmp_path, data, reason):
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ValueError, match=reason):
        read_npz(tmp_path / "a.npz")


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{}], object))
    with pytest.raises(ValueError, match="Python objects"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO, errno.ESTALE])
def test_what_the_system_says_is_no_damage(tmp_path, monkeypatch, number):
    def fail(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        read_npz(tmp_path / "a.npz")
