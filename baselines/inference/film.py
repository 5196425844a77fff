"""Films, frame by frame: read with OpenCV, and written as MP4, all of it or nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from rigging.errors import DiskFullError, InputError

CODEC = "mp4v"  # that every wheel of OpenCV writes
USUAL_FPS = 25.0  # of a film that does not say its own


class Film:
    """Frames of a film; raises InputError for what is none. Iterating again begins anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        capture = cv2.VideoCapture(str(path))
        readable, _ = capture.read()
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if np.isfinite(fps) and fps > 0 else USUAL_FPS
        self.count = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)  # as its head says, which may be wrong
        capture.release()
        if not readable:
            raise InputError(f"{path}: cannot be read as a film")

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame (H, W, 3) uint8 RGB."""
        capture = cv2.VideoCapture(str(self.path))
        try:
            while True:
                there, frame = capture.read()
                if not there:
                    return
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()


class FilmWriter:
    """Collects frames (H, W, 3) uint8 RGB, all of one size, in a film."""

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self.fps, self.frames = path, fps, 0
        self._writer: cv2.VideoWriter | None = None

    def add(self, frame: np.ndarray) -> None:
        """Append a frame (H, W, 3) uint8; sides are made even, as the codec wants them. Raises InputError."""
        height, width = (side // 2 * 2 for side in frame.shape[:2])
        if self._writer is None:
            self._writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter_fourcc(*CODEC), self.fps, (width, height))
            if not self._writer.isOpened():
                raise InputError(f"{self.path}: this OpenCV ({cv2.__version__}) cannot write films, or not there")
        self._writer.write(cv2.cvtColor(np.ascontiguousarray(frame[:height, :width]), cv2.COLOR_RGB2BGR))
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()


@contextmanager
def new_film(path: Path, fps: float) -> Iterator[FilmWriter]:
    """A film to add frames to; it has its name once it is whole. Raises DiskFullError if it did not come out so."""
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(6)}.mp4")
    writer = FilmWriter(temporary, fps)
    try:
        yield writer
        writer.close()
        written = cv2.VideoCapture(str(temporary)).get(cv2.CAP_PROP_FRAME_COUNT)
        if int(written) != writer.frames:  # OpenCV tells nobody
            raise DiskFullError(f"{path}: {int(written)} of {writer.frames} frames were written; is the disk full?")
        os.replace(temporary, path)
    finally:
        writer.close()
        temporary.unlink(missing_ok=True)
