"""Does bpy import here? If a system library is missing, install it where that is allowed, else say what to run.

`python -m blender_scripts.system PACKAGE...` is called by `make setup` with the Debian names of what bpy needs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys


def import_failure() -> str | None:
    """Why `import bpy` fails in a fresh process, as one line, or None if it works."""
    probe = [sys.executable, "-c", "import bpy"]
    result = subprocess.run(probe, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines() or [f"it ended with exit code {result.returncode}"]
    library = re.search(r"(\S+\.so\S*): cannot open shared object file", result.stderr)
    return f"the system library {library.group(1)} is missing" if library else lines[-1]


def install_command(packages: list[str]) -> str:
    """The line a person runs to install `packages` on Debian or Ubuntu."""
    return f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"


def main(packages: list[str]) -> int:
    """Make `import bpy` work, or explain; 0 if it works, 2 if a person has to act."""
    failure = import_failure()
    if failure and "system library" in failure and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"bpy does not import: {failure}; installing {' '.join(packages)}", flush=True)
        # two tries: package mirrors hiccup
        for _ in range(2):
            if subprocess.run(["sh", "-c", install_command(packages) + " >/dev/null"], check=False).returncode == 0:
                break
        failure = import_failure()
    if failure:
        print(f"bpy does not import: {failure}. As root, run: {install_command(packages)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
