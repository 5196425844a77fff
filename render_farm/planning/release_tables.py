"""The tables of a release file, as frozen dataclasses that refuse what is out of range (docs/releases.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from blender_scripts.looks.look import BACKGROUND_KINDS
from rigging.poses.gate.settings import GateSettings, gate_settings
from rigging.skin.appearance import SKIN_ROUGHNESS

from .splits import HOLD_OUT_SPLITS, SPLITS, holding_out

LONGEST_CLIP = 120  # poses


def require(condition: bool, key: str, value: object, allowed: str) -> None:
    """Raise ValueError that names the key, what was got and what is allowed, unless the condition holds."""
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
        require(bool(self.source), "source", self.source, "a source such as 'procedural' or 'nyu:PATH'")
        require(1 <= self.candidates <= 1_000_000, "candidates", self.candidates, "in 1..1000000")
        gate_settings(self.gate)

    @property
    def limits(self) -> GateSettings:
        """What `gate` says, with its preset's limits."""
        return gate_settings(self.gate)


ANY_VOLUME = (0.0, 1.0)  # litres
THIN, STOUT = 0.35, 0.5  # litres: nine hands in ten lie between


@dataclass(frozen=True)
class SubjectSettings:
    """Hand shapes and skins."""

    count: int = 400  # distinct subjects
    run: int = 8  # consecutive pairs that share a subject (its skin is baked once for them)
    shape: Literal["fitted", "sampled"] = "fitted"  # "fitted": to the bone lengths of a real pose subject
    ita: tuple[float, float] = (-70.0, 65.0)  # degrees, individual typology angle of the skin: dark to light
    roughness: float = SKIN_ROUGHNESS  # of skin that is not oily
    skin_resolution: int = 1024  # pixels
    litres: tuple[float, float] = ANY_VOLUME  # of a drawn hand, were it of the middle length

    def __post_init__(self) -> None:
        require(1 <= self.count <= 100_000, "count", self.count, "in 1..100000")
        require(1 <= self.run <= 10_000, "run", self.run, "in 1..10000")
        require(-90 <= self.ita[0] < self.ita[1] <= 90, "ita", list(self.ita), "[low, high] within -90..90")
        require(0.3 <= self.roughness <= 0.9, "roughness", self.roughness, "in 0.3..0.9")
        low, high = self.litres
        fits = ANY_VOLUME[0] <= low <= THIN and STOUT <= high <= ANY_VOLUME[1]
        require(fits, "litres", [low, high], f"[least, most], least in 0..{THIN} and most in {STOUT}..1")
        allowed = (256, 512, 1024, 2048)
        require(self.skin_resolution in allowed, "skin_resolution", self.skin_resolution, f"one of {allowed}")


@dataclass(frozen=True)
class PairSettings:
    """Pairs of neighbouring poses, or clips of more, between which flow is defined."""

    length: int = 2  # poses per pair, or per clip; 1: no neighbours, no flow
    delta: int = 0  # frames from one pose to the next; 0: from the motion below
    motion: float = 0.010  # m, median of the mean joint displacement between neighbours that delta 0 aims at
    least: float = 0.001  # m, a pair that moves less on average is not used, nor a clip, over its steps
    most: float = 0.060  # m, nor one that moves more in a step

    def __post_init__(self) -> None:
        require(1 <= self.length <= LONGEST_CLIP, "length", self.length, f"in 1..{LONGEST_CLIP} poses")
        require(0 <= self.delta <= 1000, "delta", self.delta, "in 0..1000 frames (0: automatic)")
        ordered = 0 <= self.least < self.motion < self.most <= 1
        require(ordered, "motion", self.motion, "in metres, with 0 <= least < motion < most <= 1")

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
            require(0 <= share <= 1, name, share, "in 0..1")
        names = SPLITS if self.hold_out else SPLITS[:3]
        require(abs(sum(self.shares) - 1) < 1e-9, " + ".join(names), round(sum(self.shares), 9), "1")
        require(not (self.hold_out and self.test), "test", self.test, "0 beside test_subject, test_pose, ...")
        require(not (self.hold_out and not self.train), "train", self.train, "above 0 beside test_subject, ...")
        require(self.block >= 1, "block", self.block, "at least 1 frame")

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
        require(0 <= self.subjects <= 100_000, "subjects", self.subjects, "in 0..100000")
        require(4 <= self.clusters <= 10_000, "clusters", self.clusters, "in 4..10000")
        require(0 <= self.margin < 1, "margin", self.margin, "in 0..1, below 1")
        for kind in self.backgrounds:
            require(kind in BACKGROUND_KINDS, "backgrounds", kind, f"of {', '.join(BACKGROUND_KINDS)}")
        if self.phase is not None:
            good = 0 <= self.phase[0] < self.phase[1] <= 1 and self.phase[1] - self.phase[0] < 1
            require(good, "phase", list(self.phase), "[low, high] within 0..1, a part of it")
        if self.tilt is not None:
            require(0 <= self.tilt[0] < self.tilt[1], "tilt", list(self.tilt), "[low, high] in radians, from 0")


@dataclass(frozen=True)
class WristSettings:
    """Limits of the sampled wrist angles in radians (the joints do not say how the forearm points)."""

    flexion: tuple[float, float] = (-0.7, 0.9)  # extension to flexion
    deviation: tuple[float, float] = (-0.4, 0.25)  # ulnar to radial

    def __post_init__(self) -> None:
        for name, most in (("flexion", 1.57), ("deviation", 0.8)):
            low, high = getattr(self, name)
            require(-most <= low <= high <= most, name, [low, high], f"[low, high] within -{most}..{most} radians")


@dataclass(frozen=True)
class FileSettings:
    """The user's own files; "" for none. Relative paths are seen from where the command runs."""

    hdris: str = ""  # .exr or .hdr panoramas to light with, instead of those that Blender brings along
    photos: str = ""  # photographs for the background kind "folder"
    calibration: str = ""  # cameras of [cameras] rig = "calibration": a file, or a folder of DexYCB
