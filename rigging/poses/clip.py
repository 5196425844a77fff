"""PoseClip: consecutive hand poses of one person, checked when made and never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import atomic_file
from ..npz import read_npz

FORMAT = "mvhm-pose-clip-1"


class PoseError(InputError):
    """Pose data that cannot be used; the message names the file or clip, what was got and what is allowed."""


@dataclass(frozen=True, eq=False)
class PoseClip:
    """T consecutive frames of one hand, always stored as a RIGHT hand, in the source's right-handed frame.

    Arrays become read-only copies; `valid` defaults to "finite", `frame_ids` to 0..T-1. A joint that is not finite is
    never valid.

    Raises:
        PoseError: on a wrong shape, dtype or hand.
    """

    joints: np.ndarray  # (T, 21, 3) float32, metres
    name: str  # unique within its source, e.g. "test_1/view0/0000000"
    subject: str
    source: str  # "nyu", "hanco", ...
    licence: str
    valid: np.ndarray | None = None  # (T, 21) bool, an annotation exists
    hand: str = "right"
    mirrored: bool = False  # the recording was of a left hand
    fps: float | None = None
    frame_ids: tuple[str | int, ...] = ()
    tip_def: str = "skin"  # what the five tips are, see docs/poses.md
    wrist_def: str = "joint"  # what joint 0 is, see docs/poses.md
    up: tuple[float, float, float] | None = None  # unit vector against gravity, None where unknown
    angles: np.ndarray | None = None  # (T, 26) float32 radians, where the source has joint angles
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)  # raw arrays, first axis T
    sha256: str = ""  # of the raw input file(s)
    estimated: str | None = None  # what of the joints nothing measured, e.g. "thumb_cmc", see docs/poses.md

    def __post_init__(self) -> None:
        joints = self._array("joints", self.joints, np.float32)
        if joints.ndim != 3 or joints.shape[1:] != (21, 3) or not len(joints):
            raise PoseError(f"{self._where}: joints have shape {joints.shape}, allowed is (T, 21, 3) with T >= 1")
        finite = np.isfinite(joints).all(-1)
        valid = finite if self.valid is None else self._array("valid", self.valid, bool)
        if valid.shape != finite.shape:
            raise PoseError(f"{self._where}: valid has shape {valid.shape}, allowed is {finite.shape}")
        if self.hand != "right":
            raise PoseError(f"{self._where}: hand is {self.hand!r}, allowed is 'right' (mirror a left hand first)")
        ids = tuple(_plain(i) for i in self.frame_ids) or tuple(range(len(joints)))
        self._set(joints=joints, valid=_frozen(valid & finite), frame_ids=ids)
        self._check_rest(len(joints))

    def _check_rest(self, count: int) -> None:
        if len(self.frame_ids) != count:
            raise PoseError(f"{self._where}: {len(self.frame_ids)} frame_ids for {count} frames")
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise PoseError(f"{self._where}: fps is {self.fps}, allowed is a positive number or None")
        if self.up is not None:
            up = np.asarray(self.up, float)
            if up.shape != (3,) or not abs(np.linalg.norm(up) - 1) <= 1e-6:
                raise PoseError(f"{self._where}: up is {self.up}, allowed is a unit vector or None")
            self._set(up=tuple(up.tolist()))
        if self.angles is not None:
            self._set(angles=self._array("angles", self.angles, np.float32))
            if self.angles.shape != (count, 26):
                raise PoseError(f"{self._where}: angles have shape {self.angles.shape}, allowed is ({count}, 26)")
        extra = {name: self._array(f"extra {name}", value, None) for name, value in self.extra.items()}
        for name, value in extra.items():
            if value.ndim < 1 or len(value) != count:
                raise PoseError(f"{self._where}: extra {name} has shape {value.shape}, its first axis must be {count}")
        self._set(extra=extra)

    @property
    def _where(self) -> str:
        return f"{self.source} clip {self.name}"

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _array(self, name: str, value: object, dtype: type | None) -> np.ndarray:
        try:
            with np.errstate(over="ignore"):  # too large for float32 is infinite
                array = np.array(value, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise PoseError(f"{self._where}: {name} is no array of numbers ({error})") from None
        return _frozen(array)

    def __len__(self) -> int:
        return len(self.joints)

    def select(self, frames: slice | Sequence[int] | np.ndarray, name: str | None = None) -> PoseClip:
        """The clip of these frames only, under another name if given: a slice, indices (n,) or a mask (T,)."""
        index = np.arange(len(self))[frames]
        return replace(
            self,
            joints=self.joints[index],
            valid=self.valid[index],
            frame_ids=tuple(self.frame_ids[i] for i in index),
            angles=None if self.angles is None else self.angles[index],
            extra={key: value[index] for key, value in self.extra.items()},
            name=self.name if name is None else name,
        )


def _plain(frame_id: object) -> str | int:
    return int(frame_id) if isinstance(frame_id, int | np.integer) else str(frame_id)


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.array(array)
    array.setflags(write=False)
    return array


def save_clip(path: Path | str, clip: PoseClip) -> None:
    """Write `clip` to an .npz: beside its place first, then renamed. The same clip gives the same bytes."""
    arrays: dict[str, np.ndarray] = {"format": np.array(FORMAT)}
    for item in fields(clip):
        value = getattr(clip, item.name)
        if item.name == "extra":
            arrays.update({f"extra/{key}": value[key] for key in sorted(value)})
        elif value is not None:
            arrays[item.name] = np.array(value)
    with atomic_file(path) as file:
        np.savez(file, **arrays)


def load_arrays(path: Path | str, keys: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """All arrays of an .npz, or those of `keys` that it has; the array of an .npy is called "".

    Raises:
        OSError: the file cannot be opened or read.
        PoseError: it is not a whole .npz or .npy of plain arrays.
    """
    try:
        return read_npz(path, keys)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such pose file") from None
    except ValueError as error:
        raise PoseError(f"{path}: not a whole .npz or .npy of plain arrays ({error})") from None


def load_clip(path: Path | str) -> PoseClip:
    """Read a clip that `save_clip` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        PoseError: the file is damaged or not a pose clip.
    """
    return clip_from_arrays(load_arrays(path), path)


_TEXTS = ("name", "subject", "source", "licence", "hand", "tip_def", "wrist_def", "sha256", "estimated")
# Key of a saved clip -> its number of axes, kinds of numpy dtype, and words.
_KINDS = {
    **dict.fromkeys(_TEXTS, (0, "U", "a text")),
    "mirrored": (0, "b", "true or false"),
    "fps": (0, "iuf", "a number"),
    "up": (1, "iuf", "three numbers"),
    "joints": (3, "iuf", "numbers (T, 21, 3)"),
    "angles": (2, "iuf", "numbers (T, 26)"),
    "valid": (2, "b", "true and false (T, 21)"),
    "frame_ids": (1, "iuU", "numbers or texts (T,)"),
}


def _check_kinds(arrays: Mapping[str, np.ndarray], path: Path | str) -> None:
    for key, value in arrays.items():
        axes, kinds, words = _KINDS.get(key, (value.ndim, "biufcSU", "an array"))
        if value.ndim != axes or value.dtype.kind not in kinds:
            raise PoseError(f"{path}: {key} is {value.dtype} {value.shape}, allowed is {words}")


def clip_from_arrays(arrays: Mapping[str, np.ndarray], path: Path | str) -> PoseClip:
    """The clip held by the arrays of a file that `save_clip` wrote (`path` is for messages)."""
    found = str(arrays["format"]) if "format" in arrays else "no format key"
    if found != FORMAT:
        raise PoseError(f"{path}: {found}, allowed is a pose clip of format {FORMAT}")
    missing = {"joints", "name", "subject", "source", "licence"} - set(arrays)
    if missing:
        raise PoseError(f"{path}: a pose clip without {', '.join(sorted(missing))}")
    _check_kinds(arrays, path)
    values: dict[str, object] = {"extra": {}}
    for key, value in arrays.items():
        if key.startswith("extra/"):
            values["extra"][key.removeprefix("extra/")] = value
        elif key in PoseClip.__dataclass_fields__:
            values[key] = tuple(value.tolist()) if key in ("frame_ids", "up") else value
    scalars = {key: value.item() for key, value in values.items() if isinstance(value, np.ndarray) and not value.ndim}
    return PoseClip(**{**values, **scalars})
