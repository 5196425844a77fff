"""Real data sets in the layouts they are published in, as sources of batches; files are the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rigging.errors import InputError
from rigging.settings import nearest

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


def open_real(spec: str, split: str = "", **options: Any) -> RealSource:
    """The user's own data set, as "stb:PATH"; the name is one of ADAPTERS, options are those of its source.

    Raises InputError for another name, and what the sources raise.
    """
    from .dexter import DexterSource
    from .freihand import FreihandSource
    from .hanco import HancoSource
    from .mhp import MhpSource
    from .rhd import RhdSource
    from .stb import StbSource

    name, colon, path = spec.partition(":")
    if name not in ADAPTERS or not colon or not path:
        raise InputError(
            f"{spec!r}: NAME:PATH is wanted, with a NAME of {', '.join(ADAPTERS)}{nearest(name, ADAPTERS)}"
        )
    sources = dict(zip(ADAPTERS, (StbSource, MhpSource, RhdSource, FreihandSource, HancoSource, DexterSource)))
    return sources[name](path, split, **options)
