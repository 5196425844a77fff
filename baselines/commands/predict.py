"""`predict --checkpoint C IMAGE ...`: joints and mesh of the hand in photographs, films, or several views of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rigging.errors import InputError
from rigging.option_types import positive

from .options import add_machine, use_machine

if TYPE_CHECKING:
    from ..inference.job import Job
    from ..inference.photographs import Inputs

KEPT = "files that are written are whole"
EPILOG = """
Pictures without --cameras are photographs of a hand each: NAME.png (joints and mesh drawn over it), NAME.json and
NAME.obj. With --cameras all of them show one hand, and hand.json and hand.obj are in the world of the cameras. Pixels
count from the upper left corner of the picture, the centre of its first pixel is (0.5, 0.5). docs/predict.md says more.

  mvhm predict --checkpoint out/train/mvhm_sv-nano photo.jpg --box 220,140,410,380
  mvhm predict --checkpoint out/train/mvhm_sv-nano photo.jpg --K 1450,1450,960,540 --hand-length 0.187
  mvhm predict --checkpoint out/train/mvhm_mv-nano view*.png --cameras cameras.json --box boxes.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGE", help="pictures, films (mp4, ...), and folders of them"
    )
    parser.add_argument(
        "--checkpoint", type=Path, required=True, metavar="RUN", help="folder of a run, or its weights.safetensors"
    )
    parser.add_argument(
        "--cameras", type=Path, metavar="FILE", help="of several views of one hand, in the order of the pictures: JSON "
        "or npz with K (V, 3, 3) in px and world_to_cam (V, 4, 4) in m",
    )  # fmt: skip
    parser.add_argument("--left", action="store_true", help="it is a left hand")
    parser.add_argument(
        "--box", metavar="X0,Y0,X1,Y1|FILE", help="of the joints, px, for all pictures, or a JSON file with one for "
        "each by its name or in their order (default: MediaPipe's, where it is installed, or else the whole picture)",
    )  # fmt: skip
    parser.add_argument(
        "--K", "--k", dest="K", metavar="FX,FY,CX,CY|FILE", help="of the camera, px: numbers, or JSON or npz with "
        "K (3, 3) (default: one is assumed, and the answer is up to scale)",
    )  # fmt: skip
    parser.add_argument(
        "--hand-length", type=positive(float), metavar="M", help="of the stretched hand in m, wrist's crease to tip of "
        "the middle finger (default: what the estimator believes; the answer is up to scale)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("out/predict"), metavar="FOLDER", help="default: out/predict")
    parser.add_argument("--overwrite", action="store_true", help="files that are there already")
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Predict, and say where the answers are."""
    from rigging.files import new_folder

    from ..inference.cameras import read_cameras
    from ..inference.job import check_outputs, predict_film, predict_pictures, predict_together
    from ..inference.photographs import find_inputs

    inputs = find_inputs(options.images)
    _check(options, inputs)
    check_outputs(inputs, options.out, bool(options.cameras), options.overwrite)
    cameras = read_cameras(options.cameras, len(inputs.pictures)) if options.cameras else None
    job = _job(options, inputs)
    with new_folder(options.out):
        if cameras:
            predict_together(job, inputs.pictures, *cameras)
        elif inputs.pictures:
            predict_pictures(job, inputs.pictures)
        for path in inputs.films:
            predict_film(job, path)
    print(f"{options.out}: {'one hand in ' if cameras else ''}{_counted(inputs)}")
    return 0


def _check(options: argparse.Namespace, inputs: Inputs) -> None:
    """Raise InputError for options that do not go together, and for a hand of no hand's length."""
    from ..inference.estimate import LONGEST, SHORTEST

    if options.cameras:
        given = [name for name in ("K", "hand_length") if getattr(options, name) is not None]
        if given:
            raise InputError(f"--{given[0].replace('_', '-')}: with --cameras it follows from them")
        if inputs.films or len(inputs.pictures) < 2:
            raise InputError(f"--cameras {options.cameras}: two or more pictures, and no films, are wanted with it")
    if options.hand_length is not None and not SHORTEST <= options.hand_length <= LONGEST:
        raise InputError(f"--hand-length {options.hand_length:g}: {SHORTEST} to {LONGEST} m is allowed")


def _job(options: argparse.Namespace, inputs: Inputs) -> Job:
    """What predicts. Raises InputError for a checkpoint or an option that cannot be used."""

    from ..inference.answer import About
    from ..inference.boxes import Finder, mediapipe_detector, read_boxes
    from ..inference.cameras import read_intrinsics
    from ..inference.job import Job
    from ..train.run_folder import load_run

    K = read_intrinsics(options.K) if options.K else None
    names = [path.name for path in (*inputs.pictures, *inputs.films)]
    boxes = read_boxes(options.box, names) if options.box else None
    device = use_machine(options)
    estimator, config = load_run(options.checkpoint)
    if estimator.multi_view and not options.cameras:
        if estimator.alone is None:
            raise InputError(f"{options.checkpoint}: {estimator.name} wants several views of one hand, with --cameras")
        estimator, config = load_run(options.checkpoint, estimator.alone)
    about = About(str(options.checkpoint), estimator.name, options.left, options.hand_length)
    finder = Finder(boxes, None if boxes else mediapipe_detector())
    return Job(estimator.to(device), config, device, about, finder, options.out, K)


def _counted(inputs: Inputs) -> str:
    """Such as "3 pictures, 1 film"."""
    counts = (("picture", len(inputs.pictures)), ("film", len(inputs.films)))
    return ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in counts if count)
