"""`sample`: render one sample alone, in this process, to see why it fails."""

from __future__ import annotations

import argparse
import faulthandler
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..errors import InputError
from ..planning.release import load_release
from .options import add_out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options. It needs no pose source: the plan in OUT holds the poses and all settings."""
    parser.add_argument("--release", default="demo", help="name of the release in OUT, or the .toml it came from")
    parser.add_argument("--sample", type=int, required=True, help="number of the sample in the release, from 0")
    add_out(parser)
    parser.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")


def run(options: argparse.Namespace) -> int:
    """Render and print where the staged sample and the picture of its views lie."""
    from ..shard.reproduce import reproduce

    faulthandler.enable()
    is_file = options.release.endswith(".toml") or "/" in options.release
    release = load_release(options.release) if is_file else None
    folder = options.out / (release.name if release else options.release)
    if not (plan := ReleaseFolder(folder).plan).exists():
        raise InputError(f"{folder}: holds no {plan.name}: nothing was rendered there of --release {options.release}")
    places = release.files if release else None
    for path in reproduce(folder, options.sample, options.cache or options.out / ".cache", places):
        print(path)
    return 0
