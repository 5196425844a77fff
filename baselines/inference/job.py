"""`mvhm predict`, once its words are understood: photographs, films or several views of one hand to files."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dataset_tools.pictures.canvas import save
from dataset_tools.progress import Progress
from rigging.errors import InputError

from ..config import Config
from ..estimator import Estimator
from .answer import About, film_answer, fused_answer, single_answer, view_answer, write_json, write_obj
from .boxes import Finder
from .estimate import Hand, View, hands_of, reprojected, resized, view_of
from .film import Film, new_film
from .overlay import overlay
from .photographs import Inputs, read_photograph
from .several_views import fused_hand

log = logging.getLogger(__name__)

CHUNK = 8  # photographs at a time
TOGETHER = "hand"  # name of the answer for several views


@dataclass(frozen=True)
class Job:
    """What predicts, and what the user said of all pictures."""

    estimator: Estimator
    config: Config
    device: torch.device
    about: About
    finder: Finder
    out: Path
    K: np.ndarray | None = None  # (3, 3) px

    def view(self, name: str, rgb: np.ndarray) -> View:
        """The view of a picture (H, W, 3) of which nothing but K (3, 3) may be known."""
        return view_of(name, rgb, self.finder(name, rgb), self.config.data.margin, self.K)

    def hands(self, views: list[View]) -> list[Hand]:
        """What is found in each view, as large as the user said."""
        hands = hands_of(self.estimator, self.config, views, self.device, self.about.left)
        length = self.about.hand_length
        return hands if length is None else [resized(hand, length) for hand in hands]


def predict_pictures(job: Job, paths: tuple[Path, ...]) -> None:
    """Single photographs: NAME.png, NAME.json and NAME.obj of each; of several, what cannot be read is left out."""
    done = 0
    with Progress("predict", len(paths)) as progress:
        for some in _chunks(paths):
            views = [job.view(path.name, rgb) for path, rgb in _read(some, len(paths) > 1)]
            for view, hand in zip(views, job.hands(views) if views else []):
                write_picture(job, view, hand)
            done += len(views)
            progress.add(len(some))
    if not done:
        raise InputError(f"none of the {len(paths)} pictures can be read")


def write_picture(job: Job, view: View, hand: Hand) -> None:
    """The files of one photograph."""
    stem = job.out / Path(view.name).stem
    if hand.vertices_cam is not None:
        write_obj(stem.with_name(f"{stem.name}.obj"), hand.vertices_cam, job.about.left)
    save(stem.with_name(f"{stem.name}.png"), overlay(view, hand, job.about.left))
    write_json(stem.with_name(f"{stem.name}.json"), single_answer(job.about, view, hand))


def predict_film(job: Job, path: Path) -> None:
    """A film, frame by frame, none of which knows of the others: NAME.mp4, NAME.json and meshes in NAME-meshes."""
    film, frames = Film(path), []
    meshes = job.out / f"{path.stem}-meshes"
    with Progress(path.name, film.count, "frame") as progress, new_film(job.out / f"{path.stem}.mp4", film.fps) as new:
        for some in _chunks(film):
            views = [job.view(path.name, frame) for frame in some]
            for view, hand in zip(views, job.hands(views)):
                new.add(overlay(view, hand, job.about.left))
                told = {key: value for key, value in view_answer(view, hand).items() if key != "picture"}
                if hand.vertices_cam is not None:
                    meshes.mkdir(exist_ok=True)
                    write_obj(meshes / f"{len(frames):06d}.obj", hand.vertices_cam, job.about.left)
                frames.append({"frame": len(frames)} | told)
            progress.add(len(views))
    answer = film_answer(job.about, path.name, film.fps, frames, job.K is None)
    write_json(job.out / f"{path.stem}.json", answer)


def predict_together(job: Job, paths: tuple[Path, ...], K: np.ndarray, world_to_cam: np.ndarray) -> None:
    """Views of one hand with K (V, 3, 3) and world_to_cam (V, 4, 4): hand.json and .obj, and a picture of each view."""
    views = []
    for path, camera, pose in zip(paths, K, world_to_cam):
        rgb = read_photograph(path)
        box = job.finder(path.name, rgb)
        views.append(view_of(path.name, rgb, box, job.config.data.margin, camera, pose))
    hand = fused_hand(job.estimator, job.config, views, job.device, job.about.left)
    for view, own in zip(views, hand.views):
        save(job.out / f"{Path(view.name).stem}.png", overlay(view, reprojected(own, view), job.about.left))
    if hand.vertices_world is not None:
        write_obj(job.out / f"{TOGETHER}.obj", hand.vertices_world, job.about.left)
    write_json(job.out / f"{TOGETHER}.json", fused_answer(job.about, views, hand))


def check_outputs(inputs: Inputs, out: Path, together: bool, overwrite: bool) -> None:
    """Raise InputError if two inputs want one file, if a file is there already, or an input would be overwritten."""
    files: dict[Path, str] = {}
    for name, by in _planned(inputs, together):
        if out / name in files:
            raise InputError(f"{files[out / name]} and {by} would both be written as {out / name}; run them apart")
        files[out / name] = by
    read = {path.resolve() for path in (*inputs.pictures, *inputs.films)}
    for path in files:
        if path.resolve() in read:
            raise InputError(f"--out {out}: {path} is an input; choose another folder")
        if path.exists() and not overwrite:
            raise InputError(f"--out {out}: {path.name} is there already; choose another folder, or --overwrite")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is no folder")


def _planned(inputs: Inputs, together: bool) -> Iterator[tuple[str, str]]:
    """Names of the files to be written, and whose they are."""
    for path in inputs.pictures:
        endings = ("png",) if together else ("png", "json", "obj")
        yield from ((f"{path.stem}.{ending}", str(path)) for ending in endings)
    for path in inputs.films:
        yield from ((f"{path.stem}{ending}", str(path)) for ending in (".mp4", ".json", "-meshes"))
    if together:
        yield from ((f"{TOGETHER}.{ending}", "the answer for all views") for ending in ("json", "obj"))


def _chunks(items: Iterable) -> Iterator[list]:
    """CHUNK at a time, in order."""
    left = iter(items)
    while some := list(itertools.islice(left, CHUNK)):
        yield some


def _read(paths: Iterable[Path], leave_out: bool) -> Iterator[tuple[Path, np.ndarray]]:
    """Paths and their pictures (H, W, 3); those that cannot be read are named and, if that is wanted, left out."""
    for path in paths:
        try:
            picture = read_photograph(path)
        except InputError as error:
            if not leave_out:
                raise
            log.warning("%s; it is left out", error)
        else:
            yield path, picture
