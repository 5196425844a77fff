"""Files laid out as MANO's are: pickles of Python 2 with values of chumpy and an old scipy's matrix. Not its hand."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

V, J, S, F = 40, 16, 10, 30
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """The arrays by the names of the published files, smaller and drawn at random; the regressor is sparse there."""
    rng = np.random.default_rng(seed)
    table = np.array([PARENTS, range(J)]).astype(np.uint32)  # the root's parent is 2^32 - 1
    regressor = rng.random((J, V)) * (rng.random((J, V)) < 0.2)
    regressor[:, 0] += 0.1
    return {
        "v_template": rng.normal(0, 0.05, (V, 3)),
        "shapedirs": rng.normal(0, 0.01, (V, 3, S)),
        "posedirs": rng.normal(0, 0.001, (V, 3, 9 * (J - 1))),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": rng.dirichlet(np.full(J, 0.3), V),
        "kintree_table": table,
        "f": rng.integers(0, V, (F, 3)).astype(np.uint32),
        "hands_mean": rng.normal(0, 0.1, 45),
    }


def stand_ins() -> dict[str, types.ModuleType]:
    """Modules with the classes that the published files were pickled with."""
    modules = {}
    for where, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select"), ("scipy.sparse.csc", "csc_matrix")):
        modules[where] = types.ModuleType(where)
        setattr(modules[where], name, type(name, (), {"__module__": where}))
    return modules | {"chumpy": types.ModuleType("chumpy")}


def as_published(given: dict[str, np.ndarray], protocol: int) -> bytes:
    """A pickle of the arrays: shapes as a selection of more of them, which chumpy makes, and a sparse regressor."""
    modules = stand_ins()
    made: dict[str, Any] = dict(given) | {"bs_style": "lbs", "bs_type": "lrotmin"}

    def thing(where: str, name: str, **state: Any) -> Any:
        one = getattr(modules[where], name)()
        vars(one).update(state)
        return one

    more = np.concatenate([given["shapedirs"], given["shapedirs"] + 1], 2)
    chosen = np.arange(more.size).reshape(more.shape)[..., : given["shapedirs"].shape[2]]
    of = thing("chumpy.ch", "Ch", x=more, _dirty_vars={"x"}, _itr=None)
    made["shapedirs"] = thing(
        "chumpy.reordering", "Select", a=of, idxs=chosen.ravel(), preferred_shape=chosen.shape, _dirty_vars=set()
    )
    made["weights"] = thing("chumpy.ch", "Ch", x=given["weights"], _dirty_vars=set())
    matrix = sparse.csc_matrix(given["J_regressor"])
    state = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "_shape": matrix.shape}
    made["J_regressor"] = thing("scipy.sparse.csc", "csc_matrix", **state, maxprint=50, format="csc")
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        buffer = io.BytesIO()
        OldPickler(buffer, protocol).dump(made)
    finally:
        for name, module in before.items():
            sys.modules.pop(name) if module is None else sys.modules.update({name: module})
    return buffer.getvalue()


class OldPickler(pickle._Pickler):
    """Writes bytes as Python 2 writes its strings."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, text: bytes) -> None:
        self.write(pickle.BINSTRING + struct.pack("<i", len(text)) + text)

    dispatch[bytes] = save_bytes
