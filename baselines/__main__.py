"""`python -m baselines`: those commands of `mvhm` that are of this package."""

import sys

from rigging.command_line import main

if __name__ == "__main__":
    sys.exit(main(packages=("baselines",)))
