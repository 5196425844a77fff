"""A file is there in full or as it was before."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from rigging.files import atomic_file, file_sha256, new_folder, walk_files, write_atomic


def test_a_file_is_written_whole_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    for data in (b"first", b"second and longer"):
        write_atomic(path, data)
        assert path.read_bytes() == data
        assert file_sha256(path) == hashlib.sha256(data).hexdigest()
    assert list(tmp_path.iterdir()) == [path]


def write_half_and_stop(path: Path) -> None:
    with atomic_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_a_failed_write_keeps_what_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_half_and_stop(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_seen_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    with atomic_file(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"half"


def test_who_flushes_many_files_together_does_not_wait_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr("rigging.files.os.fsync", lambda handle: pytest.fail("flushed"))
    with atomic_file(tmp_path / "a", flush=False) as file:
        file.write(b"all of it")
        assert not (tmp_path / "a").exists()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"all of it"]
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "b", flush=False):
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space") as error:
        write_atomic(tmp_path / "data.bin", b"data")
    assert error.value.filename == str(tmp_path / "data.bin")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        write_atomic(tmp_path / "none" / "data.bin", b"data")
    assert error.value.filename == str(tmp_path / "none" / "data.bin")


def write_into(folder: Path, names: tuple[str, ...]) -> None:
    with new_folder(folder) as made:
        for name in names:
            write_atomic(made / name, b"data")
        raise KeyboardInterrupt


@pytest.mark.parametrize("names", [(), ("one",)])
def test_a_new_folder_goes_again_unless_something_is_in_it(names: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_into(tmp_path / "a" / "b", names)
    assert [path.name for path in tmp_path.rglob("*")] == (["a", "b", "one"] if names else [])


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_into(tmp_path, ())
    assert tmp_path.is_dir()


def test_files_of_a_folder_are_found_through_links_and_pipes_are_none(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.txt").touch()
    folder = tmp_path / "folder"
    for name in ("b.txt", "a/c.txt", ".hidden/d.txt", "__MACOSX/e.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "a" / "back").symlink_to(folder)
    (folder / "gone.txt").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.txt")
    found = [path.relative_to(folder).as_posix() for path in walk_files(folder)]
    assert found == ["b.txt", "gone.txt", "a/c.txt", "linked/far.txt"]
