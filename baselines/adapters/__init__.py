"""Real data sets in the layouts they are published in, as sources of batches; files are the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rigging.errors import InputError
from rigging.settings import nearest

from .spec import read_options, split_spec

if TYPE_CHECKING:
    from .real import RealSource

ADAPTERS = {  # data sets by the names that commands have for them
    "stb": "STB",
    "mhp": "MHP",
    "rhd": "RHD",
    "freihand": "FreiHAND",
    "hanco": "HanCo",
    "dexter": "Dexter+Object",
}


def is_real(spec: str) -> bool:
    """Whether a command's DATA names an adapter."""
    return ":" in spec and split_spec(spec)[0] in ADAPTERS


def open_real(spec: str, split: str = "", **options: Any) -> RealSource:
    """The user's own data set, as "stb:PATH" or "stb,camera=bb:PATH"; options are those of its source.

    Raises InputError for another name or option, and what the sources raise.
    """
    from .dexter import DexterSource
    from .freihand import FreihandSource
    from .hanco import HancoSource
    from .mhp import MhpSource
    from .rhd import RhdSource
    from .stb import StbSource

    name, words, path = split_spec(spec)
    if name not in ADAPTERS or not path:
        raise InputError(
            f"{spec!r}: NAME:PATH is wanted, with a NAME of {', '.join(ADAPTERS)}{nearest(name, ADAPTERS)}"
        )
    sources = dict(zip(ADAPTERS, (StbSource, MhpSource, RhdSource, FreihandSource, HancoSource, DexterSource)))
    return sources[name](path, split, **read_options(sources[name], name, words), **options)
