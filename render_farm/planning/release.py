"""What a release is: a TOML file (docs/releases.md) parsed into frozen dataclasses."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blender_scripts.looks.look import BACKGROUND_KINDS, LookSettings
from blender_scripts.settings import RenderSettings
from rigging.geometry.cameras import CameraSettings
from rigging.poses.gate.settings import GateSettings, gate_settings
from rigging.settings import SettingsError, from_table, nearest

from ..errors import ReleaseError
from .splits import HOLD_OUT_SPLITS, SPLITS, holding_out

RELEASES = Path(__file__).parents[1] / "releases"
PATH = "PATH"  # stands for every path in what is compared and published: what the files hold counts, not where they lie
LONGEST_CLIP = 120  # poses


def _require(condition: bool, key: str, value: object, allowed: str) -> None:
    if not condition:
        raise ValueError(f"{key} = {value!r}: must be {allowed}")


@dataclass(frozen=True)
class PoseSettings:
    """Where the poses come from and how many of them the release chooses from."""

    source: str = "procedural"  # "procedural", "nyu:PATH", ...; --poses overrides it
    candidates: int = 60_000  # frames to choose from; a larger source is thinned evenly at random
    options: dict[str, Any] = field(default_factory=dict)  # passed to the source's reader
    gate: dict[str, Any] = field(default_factory=dict)  # limits of the checks, see `limits`

    def __post_init__(self) -> None:
        _require(bool(self.source), "source", self.source, "a source such as 'procedural' or 'nyu:PATH'")
        _require(1 <= self.candidates <= 1_000_000, "candidates", self.candidates, "in 1..1000000")
        gate_settings(self.gate)

    @property
    def limits(self) -> GateSettings:
        """What `gate` says, with its preset's limits."""
        return gate_settings(self.gate)


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
    """Pairs of neighbouring poses, or clips of more, between which flow is defined."""

    length: int = 2  # poses per pair, or per clip; 1: no neighbours, no flow
    delta: int = 0  # frames from one pose to the next; 0: from the motion below
    motion: float = 0.010  # m, median of the mean joint displacement between neighbours that delta 0 aims at
    least: float = 0.001  # m, a pair that moves less on average is not used, nor a clip, over its steps
    most: float = 0.060  # m, nor one that moves more in a step

    def __post_init__(self) -> None:
        _require(1 <= self.length <= LONGEST_CLIP, "length", self.length, f"in 1..{LONGEST_CLIP} poses")
        _require(0 <= self.delta <= 1000, "delta", self.delta, "in 0..1000 frames (0: automatic)")
        ordered = 0 <= self.least < self.motion < self.most <= 1
        _require(ordered, "motion", self.motion, "in metres, with 0 <= least < motion < most <= 1")

    @property
    def word(self) -> str:
        """What poses come in."""
        return ("pose", "pair", "clip")[min(self.length, 3) - 1]

    def span(self, delta: int) -> int:
        """Frames of a recording from the first pose of a pair or clip to its last, with poses `delta` apart."""
        return (self.length - 1) * delta + 1


@dataclass(frozen=True)
class SplitSettings:
    """Shares of the pairs per split; they sum to 1. With any test_X, `test` is 0 and [hold_out] says what X is."""

    train: float = 0.8
    val: float = 0.1
    test: float = 0.1
    test_subject: float = 0.0
    test_pose: float = 0.0
    test_background: float = 0.0
    test_camera: float = 0.0
    test_all: float = 0.0
    block: int = 120  # frames of a clip that always stay in one split

    def __post_init__(self) -> None:
        for name, share in zip(SPLITS, self.shares):
            _require(0 <= share <= 1, name, share, "in 0..1")
        names = SPLITS if self.hold_out else SPLITS[:3]
        _require(abs(sum(self.shares) - 1) < 1e-9, " + ".join(names), round(sum(self.shares), 9), "1")
        _require(not (self.hold_out and self.test), "test", self.test, "0 beside test_subject, test_pose, ...")
        _require(not (self.hold_out and not self.train), "train", self.train, "above 0 beside test_subject, ...")
        _require(self.block >= 1, "block", self.block, "at least 1 frame")

    @property
    def shares(self) -> tuple[float, ...]:
        """In the order of SPLITS."""
        return tuple(getattr(self, name) for name in SPLITS)

    @property
    def hold_out(self) -> bool:
        """Whether a split holds out one factor and shares the others."""
        return any(getattr(self, name) for name in HOLD_OUT_SPLITS)

    def holding(self, factor: str) -> float:
        """Share of the pairs in splits that hold out `factor`."""
        return sum(self.shares[number] for number in holding_out(factor))


@dataclass(frozen=True)
class HoldOutSettings:
    """What the splits test_X hold out; what is not named is drawn from the seed."""

    subjects: int = 0  # of test_subject alone; test_all has as many per pair; 0: in proportion to their pairs
    clusters: int = 16  # of joint angles, of which whole ones are held out
    margin: float = 0.2  # poses are not used whose distances to held-out and other clusters differ by less (share)
    backgrounds: tuple[str, ...] = ()  # kinds
    panoramas: tuple[str, ...] = ()  # names; if neither kinds nor panoramas are named, a quarter of the panoramas
    phase: tuple[float, float] | None = None  # azimuths, in steps between cameras from 0; None: a quarter of a step
    tilt: tuple[float, float] | None = None  # radians of the ring's axis; None: the outer quarter of its cone

    def __post_init__(self) -> None:
        _require(0 <= self.subjects <= 100_000, "subjects", self.subjects, "in 0..100000")
        _require(4 <= self.clusters <= 10_000, "clusters", self.clusters, "in 4..10000")
        _require(0 <= self.margin < 1, "margin", self.margin, "in 0..1, below 1")
        for kind in self.backgrounds:
            _require(kind in BACKGROUND_KINDS, "backgrounds", kind, f"of {', '.join(BACKGROUND_KINDS)}")
        if self.phase is not None:
            good = 0 <= self.phase[0] < self.phase[1] <= 1 and self.phase[1] - self.phase[0] < 1
            _require(good, "phase", list(self.phase), "[low, high] within 0..1, a part of it")
        if self.tilt is not None:
            _require(0 <= self.tilt[0] < self.tilt[1], "tilt", list(self.tilt), "[low, high] in radians, from 0")


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
    hold_out: HoldOutSettings = field(default_factory=HoldOutSettings)
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
        check_pairs(self)
        if self.look.backgrounds.get("folder") and not self.files.photos:
            raise ValueError("[look] backgrounds has 'folder': [files] photos must name a folder of photographs")
        if self.splits.hold_out:
            check_hold_out(self)
        elif self.hold_out != HoldOutSettings():
            raise ValueError(f"[hold_out] says what {', '.join(HOLD_OUT_SPLITS)} are; [splits] has none of them")

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

    def to_json(self, paths: bool = False) -> str:
        """Canonical text of every setting that changes bytes, defaults included; `paths`: with the paths of files.

        What holds out, and limits of the gate, are left out where they are not used: releases without them keep the
        text they always had.
        """
        values = dataclasses.asdict(self) if paths else pathless(dataclasses.asdict(self))
        del values["render"]["threads"]
        values["poses"]["gate"] = dataclasses.asdict(self.poses.limits)
        if self.poses.limits == GateSettings():
            del values["poses"]["gate"]
        if not self.splits.hold_out:
            del values["hold_out"]
            for name in HOLD_OUT_SPLITS:
                del values["splits"][name]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))


def check_pairs(release: Release) -> None:
    """Raise ValueError if a pair or clip of `release` would be cut by a shard, the release's end or a block."""
    pairs, sizes, block = release.pairs, [release.samples, release.shard_size], release.splits.block
    allowed = "even" if pairs.length == 2 else f"multiples of [pairs] length = {pairs.length}"
    whole = all(size % pairs.length == 0 for size in sizes)
    _require(whole, "samples and shard_size", sizes, f"{allowed}, so no {pairs.word} is cut in two")
    span = pairs.span(pairs.delta or 1)
    allowed = f"at least {span} frames, which a clip of [pairs] length = {pairs.length} takes"
    _require(pairs.length <= 2 or block >= span, "[splits] block", block, allowed)


def check_hold_out(release: Release) -> None:
    """Raise ValueError if the cameras or looks of `release` leave nothing to hold out, or nothing to train on."""
    settings, cameras, splits = release.hold_out, release.cameras, release.splits
    if splits.holding("background"):
        kinds = {kind for kind, weight in release.look.backgrounds.items() if weight > 0}
        for kind in settings.backgrounds:
            allowed = f"of [look] backgrounds ({', '.join(sorted(kinds))})"
            _require(kind in kinds, "[hold_out] backgrounds", kind, allowed)
        _require(bool(kinds - set(settings.backgrounds)), "[hold_out] backgrounds", list(settings.backgrounds),
                 "fewer: train has none left")  # fmt: skip
        _require("hdri" in kinds or not settings.panoramas, "[hold_out] panoramas", list(settings.panoramas),
                 "empty as [look] backgrounds has no 'hdri'")  # fmt: skip
        _require("hdri" in kinds or bool(settings.backgrounds) or len(kinds) > 1, "[look] backgrounds", sorted(kinds),
                 "two kinds or more, or 'hdri', so that one can be held out")  # fmt: skip
    if splits.holding("camera"):
        _require(cameras.phase or cameras.tilt > 0, "[cameras] phase and tilt", [cameras.phase, cameras.tilt],
                 "true, or above 0: else all rings are alike and none can be held out")  # fmt: skip
        _require(cameras.phase or not settings.phase, "[hold_out] phase", settings.phase, "left out: [cameras] phase")
        if settings.tilt is not None:
            whole = settings.tilt[0] <= 0 and settings.tilt[1] >= cameras.tilt
            good = settings.tilt[1] <= cameras.tilt + 1e-9 and not whole
            _require(good, "[hold_out] tilt", list(settings.tilt), f"a part of [cameras] tilt, 0..{cameras.tilt:g}")


def pathless(values: dict[str, Any]) -> dict[str, Any]:
    """The settings of a release, as a table, with PATH for the paths of its files."""
    poses = values["poses"] | {"source": without_path(values["poses"]["source"])}
    return values | {"poses": poses, "files": {name: path and PATH for name, path in values["files"].items()}}


def without_path(source: str) -> str:
    """A pose source with PATH for its path: `nyu:PATH?views=0`."""
    head, question, options = source.partition("?")
    name, colon, path = head.partition(":")
    return f"{name}{colon}{path and PATH}{question}{options}"


def known_releases() -> list[str]:
    """Names of the releases that come with the package."""
    return sorted(path.stem for path in RELEASES.glob("*.toml"))


def load_release(name: str) -> Release:
    """Read the release `name`: one that comes with the package, or a path to a TOML file.

    Raises ReleaseError with one line that names the file and key.
    """
    path = release_path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark before the first line
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
