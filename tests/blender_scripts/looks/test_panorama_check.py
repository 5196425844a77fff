"""Panoramas are judged by a Blender of their own, of which a file may be the death."""

import cv2
import numpy as np
import pytest

from blender_scripts.looks import panorama_check
from blender_scripts.looks.panorama_check import panorama_faults


def test_what_cannot_light_a_hand_is_told_by_file(tmp_path):
    light = np.random.default_rng(0).random((8, 16, 3), np.float32) + 0.1
    for name, pixels in (("good", light), ("black", 0 * light), ("square", light[:, :8])):
        cv2.imwrite(str(tmp_path / f"{name}.hdr"), pixels)
    (tmp_path / "page.exr").write_bytes(b"<html>404 not found</html>")
    faults = panorama_faults(sorted(tmp_path.iterdir()))
    assert {path.stem: reason.partition(": ")[0] for path, reason in faults.items()} == {
        "black": "it is black",
        "page": "cannot be read",
        "square": "is 8 x 8; a panorama twice as wide as high is needed",
    }


def test_a_file_that_blender_dies_of_is_one_of_them(tmp_path, monkeypatch):
    files = [tmp_path / name for name in "abcd"]

    def ask(left):
        answers = ["" if file.name != "d" else "is black" for file in left]
        return (answers[: left.index(files[1])], -11, "") if files[1] in left else (answers, 0, "")

    monkeypatch.setattr(panorama_check, "_ask", ask)
    assert panorama_faults(files) == {files[1]: "Blender crashes while reading it", files[3]: "is black"}


def test_a_blender_that_does_not_start_is_no_fault_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(panorama_check, "_ask", lambda left: ([], 1, "ImportError: libXi.so.6"))
    with pytest.raises(ImportError, match=r"Blender does not start .*libXi"):
        panorama_faults([tmp_path / "a.hdr"])
