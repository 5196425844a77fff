"""What a release is: a TOML file (docs/releases.md) parsed into frozen dataclasses."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blender_scripts.looks.look import LookSettings
from blender_scripts.settings import RenderSettings
from rigging.geometry.cameras import CameraSettings
from rigging.poses.gate.settings import GateSettings
from rigging.settings import from_table, nearest

from ..errors import InputError
from .release_tables import (
    FileSettings,
    HoldOutSettings,
    PairSettings,
    PoseSettings,
    SplitSettings,
    SubjectSettings,
    WristSettings,
    require,
)
from .splits import HOLD_OUT_SPLITS

RELEASES = Path(__file__).parents[1] / "releases"
PATH = "PATH"  # stands for every path in what is compared and published: what the files hold counts, not where they lie
# Keys of tables that came after releases were published: at their defaults they are no part of what a release is.
LATER: dict[str, tuple[str, ...]] = {
    "subjects": ("roughness", "litres"),
    "look": ("detail", "rooms", "sensor", "cuff", "cloth", "metering"),
    "cameras": ("rig", "free", "distortion"),
    "files": ("calibration",),
}


@dataclass(frozen=True)
class Release:
    """Everything that decides a release; see docs/releases.md for every key."""

    name: str
    seed: int
    samples: int
    shard_size: int
    hand: Literal["right", "left", "both"] = "right"
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
        require(bool(legal), "name", self.name, "letters, digits, '.', '_' or '-', as it names a folder")
        require(0 <= self.seed < 2**63, "seed", self.seed, "in 0..2^63-1")
        require(1 <= self.samples <= 10_000_000, "samples", self.samples, "in 1..10000000")
        require(1 <= self.shard_size <= 100_000, "shard_size", self.shard_size, "in 1..100000")
        check_pairs(self)
        if self.look.backgrounds.get("folder") and not self.files.photos:
            raise ValueError("[look] backgrounds has 'folder': [files] photos must name a folder of photographs")
        if (self.cameras.rig == "calibration") != bool(self.files.calibration):
            raise ValueError("[cameras] rig = 'calibration' and [files] calibration go together: one is missing")
        if self.splits.hold_out:
            check_hold_out(self)
        elif self.hold_out != HoldOutSettings():
            raise ValueError(f"[hold_out] says what {', '.join(HOLD_OUT_SPLITS)} are; [splits] has none of them")

    @property
    def shards(self) -> int:
        """Number of shards; the last may be shorter."""
        return -(-self.samples // self.shard_size)

    def shard_samples(self, shard: int) -> range:
        """Sample indices of `shard`. Raises InputError if there is no such shard."""
        if not 0 <= shard < self.shards:
            raise InputError(f"--shard {shard}: release {self.name!r} has shards 0..{self.shards - 1}")
        return range(shard * self.shard_size, min(self.samples, (shard + 1) * self.shard_size))

    def with_poses(self, source: str | None) -> Release:
        """The same release with its poses from `source`, unless None."""
        if source is None:
            return self
        poses = dataclasses.replace(self.poses, source=source, options={})
        return dataclasses.replace(self, poses=poses)

    def to_json(self, paths: bool = False) -> str:
        """Canonical text of every setting that changes bytes, defaults included; `paths`: with the paths of files.

        What holds out, limits of the gate, and keys of LATER are left out where they are not used: releases without
        them keep the text, and the bytes, that they always had.
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
        for table, names in LATER.items():
            usual = type(getattr(self, table))()
            for name in names:
                if getattr(getattr(self, table), name) == getattr(usual, name):
                    del values[table][name]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))


def check_pairs(release: Release) -> None:
    """Raise ValueError if a pair or clip of `release` would be cut by a shard, the release's end or a block."""
    pairs, sizes, block = release.pairs, [release.samples, release.shard_size], release.splits.block
    allowed = "even" if pairs.length == 2 else f"multiples of [pairs] length = {pairs.length}"
    whole = all(size % pairs.length == 0 for size in sizes)
    require(whole, "samples and shard_size", sizes, f"{allowed}, so no {pairs.word} is cut in two")
    span = pairs.span(pairs.delta or 1)
    allowed = f"at least {span} frames, which a clip of [pairs] length = {pairs.length} takes"
    require(pairs.length <= 2 or block >= span, "[splits] block", block, allowed)


def check_hold_out(release: Release) -> None:
    """Raise ValueError if the cameras or looks of `release` leave nothing to hold out, or nothing to train on."""
    settings, cameras, splits = release.hold_out, release.cameras, release.splits
    if splits.holding("background"):
        kinds = {kind for kind, weight in release.look.backgrounds.items() if weight > 0}
        for kind in settings.backgrounds:
            allowed = f"of [look] backgrounds ({', '.join(sorted(kinds))})"
            require(kind in kinds, "[hold_out] backgrounds", kind, allowed)
        require(bool(kinds - set(settings.backgrounds)), "[hold_out] backgrounds", list(settings.backgrounds),
                 "fewer: train has none left")  # fmt: skip
        require("hdri" in kinds or not settings.panoramas, "[hold_out] panoramas", list(settings.panoramas),
                 "empty as [look] backgrounds has no 'hdri'")  # fmt: skip
        require("hdri" in kinds or bool(settings.backgrounds) or len(kinds) > 1, "[look] backgrounds", sorted(kinds),
                 "two kinds or more, or 'hdri', so that one can be held out")  # fmt: skip
    if splits.holding("camera"):
        require(cameras.rig in ("ring", "random"), "[cameras] rig", cameras.rig, "'ring' or 'random' with splits that "
                "hold cameras out: of the others no directions are left")  # fmt: skip
        require(cameras.phase or cameras.tilt > 0, "[cameras] phase and tilt", [cameras.phase, cameras.tilt],
                 "true, or above 0: else all rings are alike and none can be held out")  # fmt: skip
        require(cameras.phase or not settings.phase, "[hold_out] phase", settings.phase, "left out: [cameras] phase")
        if settings.tilt is not None:
            whole = settings.tilt[0] <= 0 and settings.tilt[1] >= cameras.tilt
            good = settings.tilt[1] <= cameras.tilt + 1e-9 and not whole
            require(good, "[hold_out] tilt", list(settings.tilt), f"a part of [cameras] tilt, 0..{cameras.tilt:g}")


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

    Raises InputError with one line that names the file and key.
    """
    path = release_path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark before the first line
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    return _with_image_size(from_table(Release, table, str(path)), table, str(path))


def _with_image_size(release: Release, table: dict[str, Any], where: str) -> Release:
    """The images are as large as the cameras say; threads come with the workers. Neither is set twice."""
    instead = {"width": "[cameras] image_size", "height": "[cameras] image_size", "threads": "--workers"}
    for key in sorted(set(instead) & set(table.get("render", {}))):
        raise InputError(f"{where}: [render] {key}: set by {instead[key]}, not here")
    size = release.cameras.image_size
    return dataclasses.replace(release, render=dataclasses.replace(release.render, width=size, height=size))


def release_path(name: str) -> Path:
    """The TOML file that `--release name` means. Raises InputError if there is none."""
    if name.endswith(".toml") or "/" in name:
        if not Path(name).is_file():
            raise InputError(f"--release {name}: there is no such file")
        return Path(name)
    if name not in known_releases():
        hint = nearest(name, known_releases())
        raise InputError(f"--release {name}: no such release{hint} (or give a path to a .toml file)")
    return RELEASES / f"{name}.toml"


def planned_release(text: str, path: Path) -> Release:
    """The release whose canonical JSON is `text`, from the plan at `path`. Raises InputError if it cannot be read."""
    table = json.loads(text, object_hook=lambda table: {key: item for key, item in table.items() if item is not None})
    release = from_table(Release, table, str(path))  # as of TOML, which knows no null: what is None is the default
    if text not in (release.to_json(), release.to_json(paths=True)):
        raise InputError(f"{path}: planned by another version of this program")
    return release
