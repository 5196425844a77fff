"""Commands: `python -m render_farm plan ...` and `python -m render_farm render ...`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Read by numerical libraries while they are imported; one thread, so that a plan's sums are the same everywhere.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from .cli import main

    sys.exit(main(sys.argv[1:]))
