"""A user's own MANO file (Romero et al., SIGGRAPH Asia 2017), read without running it. None comes with us."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from rigging.errors import InputError
from rigging.npz import DAMAGED, read_npz

# Of the pickle's keys those that posing needs: shapes, with V vertices, J joints, S shape coefficients, F faces.
KEYS = {
    "kintree_table": (2, "J"),
    "v_template": ("V", 3),
    "shapedirs": ("V", 3, "S"),
    "posedirs": ("V", 3, "9 (J - 1)"),
    "J_regressor": ("J", "V"),
    "weights": ("V", "J"),
    "f": ("F", 3),
}
_MAKERS = {  # what numpy makes pickled arrays with, by names in `numpy.core` and, since numpy 2, `numpy._core`
    ("multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("multiarray", "scalar"): np.float64().__reduce__()[0],
    ("numeric", "_frombuffer"): np.empty(0).__reduce_ex__(5)[0],
}


@dataclass(frozen=True)
class Mano:
    """V = 778 vertices, J = 16 joints and S = 10 shape coefficients in the published files; float64, m."""

    template: np.ndarray  # (V, 3)
    shape: np.ndarray  # (V, 3, S)
    correctives: np.ndarray  # (V, 3, 9 (J - 1)) of the joints' rotations but the root's, less the identity
    regressor: np.ndarray  # (J, V)
    weights: np.ndarray  # (V, J), rows sum to 1
    parents: tuple[int, ...]  # J, -1 for the root; each before its children
    faces: np.ndarray  # (F, 3) int64


def load_mano(path: Path | str) -> Mano:
    """Read MANO_RIGHT.pkl, MANO_LEFT.pkl, or an .npz of the same arrays.

    Of a pickle, only numpy's arrays, scipy's sparse matrices and chumpy's values are made, the latter two by code of
    ours. Raises OSError, or InputError in one line: another object in the pickle, a damaged file, a key that is
    missing, a wrong shape.
    """
    path = Path(path)
    content = path.read_bytes()
    try:
        stored = read_npz(path) if content.startswith(b"PK") else _unpickled(content)
        return _checked({key: _dense(stored, key) for key in KEYS})
    except (*DAMAGED, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: not a MANO file that can be read: {' '.join(str(error).split())[:200]}") from None


def _unpickled(content: bytes) -> Mapping[str, Any]:
    found = _Unpickler(io.BytesIO(content), encoding="latin1").load()
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not a dictionary")
    return found


class _Stored:
    """What stands for an object of scipy or chumpy: its state."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


class _Sparse(_Stored):
    """A scipy.sparse.csc_matrix."""


class _Value(_Stored):
    """A chumpy.ch.Ch, which is an array `x`."""


class _Selected(_Stored):
    """A chumpy.reordering.Select: some elements of another."""


def _reconstructed(cls: type, base: type, state: Any) -> _Stored:
    """Instead of copyreg's, which would make any object."""
    if not (isinstance(cls, type) and issubclass(cls, _Stored)):
        raise pickle.UnpicklingError("it makes an object that is no array")
    return cls()


def _encoded(text: str, encoding: str) -> bytes:
    """Instead of codecs.encode: how bytes stand in old protocols."""
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    """Finds nothing but what arrays are made with."""

    FOUND: ClassVar = {
        **{(f"numpy.core.{where}", name): maker for (where, name), maker in _MAKERS.items()},
        **{(f"numpy._core.{where}", name): maker for (where, name), maker in _MAKERS.items()},
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("chumpy.ch", "Ch"): _Value,
        ("chumpy.reordering", "Select"): _Selected,
        ("scipy.sparse.csc", "csc_matrix"): _Sparse,
        ("scipy.sparse._csc", "csc_matrix"): _Sparse,
        ("copy_reg", "_reconstructor"): _reconstructed,
        ("copyreg", "_reconstructor"): _reconstructed,
        ("_codecs", "encode"): _encoded,
        **{(module, "object"): object for module in ("__builtin__", "builtins")},
        **{(module, "set"): set for module in ("__builtin__", "builtins")},
    }

    def find_class(self, module: str, name: str) -> Any:
        """Raises UnpicklingError for all else, so nothing is imported or run."""
        if (module, name) not in self.FOUND:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}; allowed are arrays of numpy, scipy and chumpy")
        return self.FOUND[module, name]


def _dense(stored: Mapping[str, Any], key: str) -> np.ndarray:
    """An array of numbers. Raises ValueError."""
    if key not in stored:
        raise ValueError(f"{key} is missing; it holds {', '.join(map(str, stored))}")
    array = _evaluated(stored[key])
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise ValueError(f"{key} is no array of numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"{key} has values that are not finite")
    return array


def _evaluated(value: Any) -> Any:
    """The array that an object of scipy or chumpy stands for."""
    if isinstance(value, _Sparse):
        one = value.state
        return sparse.csc_matrix((one["data"], one["indices"], one["indptr"]), shape=one["_shape"]).toarray()
    if isinstance(value, _Selected):
        return _evaluated(value.state["a"]).ravel()[value.state["idxs"]].reshape(value.state["preferred_shape"])
    return _evaluated(value.state["x"]) if isinstance(value, _Value) else value


def _checked(arrays: dict[str, np.ndarray]) -> Mano:
    """Raises ValueError for shapes that do not fit, weights that are none and a tree that is none."""
    sizes: dict[str, int] = {}
    for key, shape in KEYS.items():
        found = arrays[key].shape
        sizes |= {want: size for want, size in zip(shape, found) if isinstance(want, str) and want not in sizes}
        wanted = tuple(9 * (_joints(arrays) - 1) if want == "9 (J - 1)" else sizes.get(want, want) for want in shape)
        if found != wanted:
            raise ValueError(f"{key} has shape {found}, expected ({', '.join(map(str, wanted))})")
    weights, faces = arrays["weights"].astype(float), arrays["f"].astype(np.int64)
    if (weights < -1e-6).any() or np.abs(weights.sum(1) - 1).max() > 1e-3:
        raise ValueError("weights are not shares that sum to 1")
    if faces.min() < 0 or faces.max() >= len(weights):
        raise ValueError(f"f refers to vertex {faces.max()}, there are {len(weights)}")
    floats = (arrays[key].astype(float) for key in ("v_template", "shapedirs", "posedirs", "J_regressor"))
    return Mano(*floats, weights, _parents(arrays["kintree_table"]), faces)


def _joints(arrays: dict[str, np.ndarray]) -> int:
    return arrays["kintree_table"].shape[-1]


def _parents(table: np.ndarray) -> tuple[int, ...]:
    """Of each joint; the root's stands as a number too large. Raises ValueError unless parents come first."""
    parents = (-1, *table[0, 1:].tolist())
    if not all(0 <= parent < joint for joint, parent in enumerate(parents[1:], 1)):
        raise ValueError("kintree_table names parents after their children")
    return parents
