"""Reading other people's files: pictures, MATLAB arrays, lists of named points, and pickles that may run no code."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
from scipy.io import loadmat

from rigging.errors import InputError

# What a pickled array is made of, by the names of numpy 1 and 2 and of Python 2's pickles.
SAFE = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("_codecs", "encode"),
}


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB. Raises FileNotFoundError; InputError for what is no picture."""
    return cv2.cvtColor(_decoded(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_parts(path: Path) -> np.ndarray:
    """(H, W) uint8: a picture of one channel, whose values are numbers of parts. Raises as `read_picture`."""
    return _decoded(path, cv2.IMREAD_GRAYSCALE)


def _decoded(path: Path, how: int) -> np.ndarray:
    try:
        data = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such picture") from None
    picture = cv2.imdecode(data, how) if len(data) else None
    if picture is None:
        raise InputError(f"{path}: cannot be read as a picture")
    return picture


def read_mat(path: Path, key: str) -> np.ndarray:
    """The array `key` (...) of a MATLAB file. Raises FileNotFoundError; InputError for a file without it."""
    try:
        arrays = loadmat(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except Exception as error:  # SciPy raises whatever a damaged file makes it stumble over
        raise InputError(f"{path}: cannot be read as a MATLAB file ({type(error).__name__}: {error})") from error
    if key not in arrays:
        raise InputError(f"{path}: no {key} in it; there are: {', '.join(k for k in arrays if k[:2] != '__')}")
    return arrays[key]


def read_points(path: Path, names: tuple[str, ...]) -> np.ndarray:
    """(len(names), 3) float64 of a text with a line `NAME x y z` for each, in the order of `names`; others are skipped.

    Raises FileNotFoundError; InputError for a line that is none such, and for a name without one.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    points: dict[str, list[float]] = {}
    for number, line in enumerate(lines, 1):
        name, *values = line.split() or [""]
        if name not in names:
            continue
        try:
            x, y, z = map(float, values)
        except ValueError:
            raise InputError(f"{path}, line {number}: {line.strip()!r}: a name and three numbers are wanted") from None
        points[name] = [x, y, z]
    if missing := [name for name in names if name not in points]:
        raise InputError(f"{path}: no line for {', '.join(missing)}")
    return np.array([points[name] for name in names])


def read_rows(path: Path, points: int, axes: int) -> np.ndarray:
    """(n, points, axes) float64 of a text with a row `x, y, z; x, y, z; ...` each; further points are skipped.

    Raises FileNotFoundError; InputError for a row that is none such.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = [[float(x) for x in point.split(",")] for point in line.split(";")[:points]]
            rows.append(np.array(row).reshape(points, axes))
        except ValueError:
            wanted = f"{points} points of {axes} numbers, as in `1, 2; 3, 4;`, are wanted"
            raise InputError(f"{path}, line {number}: {line.strip()[:60]!r}: {wanted}") from None
    return np.array(rows).reshape(-1, points, axes)


def read_vector(path: Path) -> np.ndarray:
    """(3,) float64, an array of three numbers pickled by Python 2 or 3. Raises FileNotFoundError and InputError."""
    found = read_pickle(path)
    try:
        vector = np.asarray(found, float).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: three finite numbers are wanted ({error})") from None
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise InputError(f"{path}: three finite numbers are wanted, got {vector}")
    return vector


def read_pickle(path: Path) -> object:
    """Numbers, texts, lists and dicts, and arrays of numbers, pickled by Python 2 or 3; nothing else is ever made.

    Raises FileNotFoundError; InputError for a damaged file, and for one that asks for anything else.
    """
    try:
        with open(path, "rb") as file:
            return _ArraysOnly(file, encoding="latin1").load()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except Exception as error:  # a damaged pickle can make its reader raise anything
        raise InputError(f"{path}: cannot be read as pickled arrays ({error})") from error


class _ArraysOnly(pickle.Unpickler):
    """Refuses whatever is not part of a numpy array."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in SAFE:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return super().find_class(module, name)
