"""What a release is: a TOML file (docs/releases.md) parsed into frozen dataclasses."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blender_scripts.look import LookSettings
from blender_scripts.settings import RenderSettings
from rigging.cameras import CameraSettings
from rigging.settings import SettingsError, from_table, nearest

from ..errors import ReleaseError

RELEASES = Path(__file__).parents[1] / "releases"


def _require(condition: bool, key: str, value: object, allowed: str) -> None:
    if not condition:
        raise ValueError(f"{key} = {value!r}: must be {allowed}")


@dataclass(frozen=True)
class PoseSettings:
    """Where the poses come from and how many of them the release chooses from."""

    source: str = "procedural"  # "procedural", "nyu:PATH", ...; --poses overrides it
    candidates: int = 60_000  # frames to choose from; a larger source is thinned evenly at random
    options: dict[str, Any] = field(default_factory=dict)  # passed to the source's reader

    def __post_init__(self) -> None:
        _require(bool(self.source), "source", self.source, "a source such as 'procedural' or 'nyu:PATH'")
        _require(1 <= self.candidates <= 1_000_000, "candidates", self.candidates, "in 1..1000000")


@dataclass(frozen=True)
class SubjectSettings:
    """Hand shapes and skins."""

    count: int = 400  # distinct subjects
    run: int = 8  # consecutive pairs that share a subject (its skin is baked once for them)
    shape: Literal["fitted", "sampled"] = "fitted"  # "fitted": to the bone lengths of a real pose subject
    ita: tuple[float, float] = (-70.0, 65.0)  # degrees, individual typology angle of the skin: dark to light
    skin_resolution: int = 1024  # pixels

    def __post_init__(self) -> None:
        _require(1 <= self.count <= 100_000, "count", self.count, "in 1..100000")
        _require(1 <= self.run <= 10_000, "run", self.run, "in 1..10000")
        _require(-90 <= self.ita[0] < self.ita[1] <= 90, "ita", list(self.ita), "[low, high] within -90..90")
        allowed = (256, 512, 1024, 2048)
        _require(self.skin_resolution in allowed, "skin_resolution", self.skin_resolution, f"one of {allowed}")


@dataclass(frozen=True)
class PairSettings:
    """Pairs of neighbouring poses, between which flow is defined."""

    length: Literal[1, 2] = 2  # poses per pair; 1: no neighbours, no flow
    delta: int = 0  # frames from the first to the second pose; 0: from the motion below
    motion: float = 0.010  # m, median over pairs of the mean joint displacement that delta 0 aims at
    least: float = 0.001  # m, a pair that moves less on average is not used
    most: float = 0.060  # m, nor one that moves more

    def __post_init__(self) -> None:
        _require(0 <= self.delta <= 1000, "delta", self.delta, "in 0..1000 frames (0: automatic)")
        ordered = 0 <= self.least < self.motion < self.most <= 1
        _require(ordered, "motion", self.motion, "in metres, with 0 <= least < motion < most <= 1")


@dataclass(frozen=True)
class SplitSettings:
    """Shares of the pairs per split; they sum to 1."""

    train: float = 0.8
    val: float = 0.1
    test: float = 0.1
    block: int = 120  # frames of a clip that always stay in one split

    def __post_init__(self) -> None:
        for name in ("train", "val", "test"):
            _require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "in 0..1")
        total = self.train + self.val + self.test
        _require(abs(total - 1) < 1e-9, "train + val + test", round(total, 9), "1")
        _require(self.block >= 1, "block", self.block, "at least 1 frame")


@dataclass(frozen=True)
class WristSettings:
    """Limits of the sampled wrist angles in radians (the joints do not say how the forearm points)."""

    flexion: tuple[float, float] = (-0.7, 0.9)  # extension to flexion
    deviation: tuple[float, float] = (-0.4, 0.25)  # ulnar to radial

    def __post_init__(self) -> None:
        for name, most in (("flexion", 1.57), ("deviation", 0.8)):
            low, high = getattr(self, name)
            _require(-most <= low <= high <= most, name, [low, high], f"[low, high] within -{most}..{most} radians")


@dataclass(frozen=True)
class FileSettings:
    """Folders of the user's own pictures; "" for none. Relative ones are seen from where the command runs."""

    hdris: str = ""  # .exr or .hdr panoramas to light with, instead of those that Blender brings along
    photos: str = ""  # photographs for the background kind "folder"


@dataclass(frozen=True)
class Release:
    """Everything that decides a release; see docs/releases.md for every key."""

    name: str
    seed: int
    samples: int
    shard_size: int
    hand: Literal["right", "left"] = "right"
    retarget: Literal["directions", "positions"] = "directions"
    spin_mode: Literal["palm", "none", "paper", "paper-literal", "ik"] = "palm"
    skinning: Literal["dual_quaternion", "linear"] = "dual_quaternion"
    poses: PoseSettings = field(default_factory=PoseSettings)
    subjects: SubjectSettings = field(default_factory=SubjectSettings)
    pairs: PairSettings = field(default_factory=PairSettings)
    splits: SplitSettings = field(default_factory=SplitSettings)
    wrist: WristSettings = field(default_factory=WristSettings)
    cameras: CameraSettings = field(default_factory=CameraSettings)
    look: LookSettings = field(default_factory=LookSettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    files: FileSettings = field(default_factory=FileSettings)

    def __post_init__(self) -> None:
        legal = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name)
        _require(bool(legal), "name", self.name, "letters, digits, '.', '_' or '-', as it names a folder")
        _require(0 <= self.seed < 2**63, "seed", self.seed, "in 0..2^63-1")
        _require(1 <= self.samples <= 10_000_000, "samples", self.samples, "in 1..10000000")
        _require(1 <= self.shard_size <= 100_000, "shard_size", self.shard_size, "in 1..100000")
        even = self.pairs.length == 1 or (self.samples % 2 == 0 and self.shard_size % 2 == 0)
        _require(even, "samples and shard_size", [self.samples, self.shard_size], "even, so no pair is cut in two")
        if self.look.backgrounds.get("folder") and not self.files.photos:
            raise ValueError("[look] backgrounds has 'folder': [files] photos must name a folder of photographs")

    @property
    def shards(self) -> int:
        """Number of shards; the last may be shorter."""
        return -(-self.samples // self.shard_size)

    def shard_samples(self, shard: int) -> range:
        """Sample indices of `shard`. Raises ReleaseError if there is no such shard."""
        if not 0 <= shard < self.shards:
            raise ReleaseError(f"--shard {shard}: release {self.name!r} has shards 0..{self.shards - 1}")
        return range(shard * self.shard_size, min(self.samples, (shard + 1) * self.shard_size))

    def with_poses(self, source: str | None) -> Release:
        """The same release with its poses from `source`, unless None."""
        if source is None:
            return self
        poses = dataclasses.replace(self.poses, source=source, options={})
        return dataclasses.replace(self, poses=poses)

    def to_json(self) -> str:
        """Canonical text of every setting that changes bytes, defaults included."""
        values = dataclasses.asdict(self)
        del values["render"]["threads"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))


def known_releases() -> list[str]:
    """Names of the releases that come with the package."""
    return sorted(path.stem for path in RELEASES.glob("*.toml"))


def load_release(name: str) -> Release:
    """Read the release `name`: one that comes with the package, or a path to a TOML file.

    Raises ReleaseError with one line that names the file and key.
    """
    path = release_path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ReleaseError(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path}: cannot be read: {error}") from error
    try:
        return _with_image_size(from_table(Release, table, str(path)), table, str(path))
    except SettingsError as error:
        raise ReleaseError(str(error)) from error


def _with_image_size(release: Release, table: dict[str, Any], where: str) -> Release:
    """The images are as large as the cameras say; threads come with the workers. Neither is set twice."""
    instead = {"width": "[cameras] image_size", "height": "[cameras] image_size", "threads": "--workers"}
    for key in sorted(set(instead) & set(table.get("render", {}))):
        raise ReleaseError(f"{where}: [render] {key}: set by {instead[key]}, not here")
    size = release.cameras.image_size
    return dataclasses.replace(release, render=dataclasses.replace(release.render, width=size, height=size))


def release_path(name: str) -> Path:
    """The TOML file that `--release name` means. Raises ReleaseError if there is none."""
    if name.endswith(".toml") or "/" in name:
        if not Path(name).is_file():
            raise ReleaseError(f"--release {name}: there is no such file")
        return Path(name)
    if name not in known_releases():
        hint = nearest(name, known_releases())
        raise ReleaseError(f"--release {name}: no such release{hint} (or give a path to a .toml file)")
    return RELEASES / f"{name}.toml"
