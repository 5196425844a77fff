"""Folders of recordings: hidden files, foreign ones, several people, and only some of them."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from layouts import moving_hand, write_json, write_webxr_json

from rigging.commands.poses import report
from rigging.poses.clip import PoseError
from rigging.poses.gate.gate import gate_source
from rigging.poses.registry import open_source


def read(spec, **options):
    source = open_source(spec, **options)
    return list(source.clips()), source.rejects


def save(path, frames=4, scale=1.0, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, joints=scale * moving_hand(frames), **arrays)


def test_hidden_files_and_folders_are_passed_over(tmp_path, caplog):
    save(tmp_path / "rec.npz")
    (tmp_path / "._rec.npz").write_bytes(b"\0\5\x16\7")
    save(tmp_path / ".trash" / "old.npz")
    clips, rejects = read(f"npz:{tmp_path}")
    assert [clip.name for clip in clips] == ["rec"] and not rejects and not caplog.records


@pytest.mark.parametrize("source", ["webxr", "npz"])
def test_foreign_and_damaged_files_are_named_and_the_rest_read(tmp_path, caplog, source):
    if source == "webxr":
        write_webxr_json(tmp_path / "b.json", moving_hand(4), "right")
        write_json(tmp_path / "settings.json", {"volume": 11})
    else:
        save(tmp_path / "b.npz")
        np.savez(tmp_path / "settings.npz", volume=11)
    (tmp_path / "broken.npz").write_bytes((tmp_path / "b.npz").read_bytes()[:99] if source == "npz" else b"PK")
    clips, rejects = read(f"{source}:{tmp_path}")
    assert [clip.name for clip in clips] == ["b"]
    assert [(r.clip, r.frame, r.reason) for r in rejects] == [
        ("broken", "", "no recording (file)"),
        ("settings", "", "no recording (file)"),
    ]
    assert not any(str(tmp_path) in reject.detail for reject in rejects)  # it may be published
    assert all(name in caplog.text for name in ("broken.npz", "settings"))


def test_links_are_followed_and_pipes_and_loops_are_not(tmp_path, caplog):
    save(tmp_path / "elsewhere" / "anna" / "a.npz")
    folder = tmp_path / "recordings"
    save(folder / "ben.npz")
    (folder / "anna").symlink_to(tmp_path / "elsewhere" / "anna")
    (folder / "back").symlink_to(folder)
    os.mkfifo(folder / "pipe.npz")
    for name, target in (("gone.npz", "nowhere.npz"), ("loop.npz", "loop.npz")):
        (folder / name).symlink_to(target)
    clips, rejects = read(f"npz:{folder}")
    assert [clip.name for clip in clips] == ["anna/a", "ben"]
    assert [reject.clip for reject in rejects] == ["gone", "loop"]


def test_a_fault_of_the_machine_is_not_a_foreign_file(tmp_path, monkeypatch):
    for name in "ab":
        save(tmp_path / f"{name}.npz")

    def fails(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(OSError, match="Input/output"):
        read(f"npz:{tmp_path}")


def test_a_single_file_or_a_folder_without_any_recording_is_an_error(tmp_path):
    np.savez(tmp_path / "a.npz", volume=11)
    for path in (tmp_path, tmp_path / "a.npz"):
        with pytest.raises(PoseError, match=r"a\.npz: unknown key volume"):
            read(f"npz:{path}")
    np.savez(tmp_path / "b.npz", volume=12)
    with pytest.raises(PoseError, match=r"a\.npz: unknown key volume.*; none of 2 files is a recording"):
        read(f"npz:{tmp_path}")


def test_what_a_person_must_decide_is_never_passed_over(tmp_path):
    save(tmp_path / "a.npz")
    save(tmp_path / "b.npz", valid=np.full((4, 21), 0.02))
    with pytest.raises(PoseError, match=r"b\.npz: valid holds 0\.02.*threshold=0\.5"):
        read(f"npz:{tmp_path}")


def test_a_recording_that_says_less_than_the_others_is_named_with_the_option(tmp_path, caplog):
    write_webxr_json(tmp_path / "a.json", moving_hand(4), "right")
    write_webxr_json(tmp_path / "b.json", moving_hand(4), "")
    assert [clip.name for clip in read(f"webxr:{tmp_path}")[0]] == ["a"]
    assert "b.json: handedness is not in the file, allowed are right, left (option hand)" in caplog.text


def test_many_foreign_files_are_counted(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    save(tmp_path / "rec.npz")
    for number in range(25):
        np.savez(tmp_path / f"x{number}.npz", volume=11)
    clips, rejects = read(f"npz:{tmp_path}")
    assert len(clips) == 1 and len(rejects) == 25
    assert len(caplog.records) == 11 and "25 files" in caplog.messages[-1]


def test_each_file_is_a_person_unless_it_says_otherwise(tmp_path):
    write_webxr_json(tmp_path / "day1/adult.json", moving_hand(12), "right")
    write_webxr_json(tmp_path / "day1/child.json", 0.7 * moving_hand(4), "right")
    gated = gate_source(open_source(f"webxr:{tmp_path}"))
    assert gated.accepted == 16 and {clip.subject for clip in gated.clips} == {"day1/adult", "day1/child"}
    clips, _ = read(f"webxr:{tmp_path}", subject="folder")
    assert {clip.subject for clip in clips} == {"day1"}
    clips, _ = read(f"webxr:{tmp_path}", subject="eva")
    assert {clip.subject for clip in clips} == {"eva"}


def test_sequences_choose_by_name_or_pattern(tmp_path):
    for name in ("a/1", "a/2", "b/1"):
        save(tmp_path / f"{name}.npz")
    assert [clip.name for clip in read(f"npz:{tmp_path}?sequences=a/*")[0]] == ["a/1", "a/2"]
    assert [clip.name for clip in read(f"npz:{tmp_path}?sequences=b/1+a/2")[0]] == ["a/2", "b/1"]
    with pytest.raises(PoseError, match="sequences 'c/\\*' fits none of 3 recordings, such as a/1, a/2, b/1"):
        read(f"npz:{tmp_path}?sequences=c/*")


def test_names_keep_the_suffix_where_two_files_share_the_rest(tmp_path):
    save(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", moving_hand(2))
    save(tmp_path / "b.NPZ".lower())
    assert [clip.name for clip in read(f"npz:{tmp_path}")[0]] == ["a.npy", "a.npz", "b"]


def test_a_file_that_may_not_be_read_is_told_with_the_true_cause(tmp_path, monkeypatch):
    save(tmp_path / "a.npz")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        read(f"npz:{tmp_path}")


def test_a_file_that_may_not_be_read_is_named_in_words(tmp_path, monkeypatch, caplog):
    for name in "ab":
        save(tmp_path / f"{name}.npz")
    read_bytes = Path.read_bytes

    def locked(path):
        if path.stem == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", locked)
    gated = gate_source(open_source(f"npz:{tmp_path}"))
    assert gated.accepted == gated.frames == 4
    assert [reject.detail for reject in gated.rejects] == ["a.npz: Permission denied"]
    assert "rejected  0 frames, and 1 files that are no recordings" in report("npz", gated)
