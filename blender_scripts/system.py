"""Does bpy import here? If a system library is missing, install it where that is allowed, else say what to run.

`make setup` calls `python -m blender_scripts.system`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# Shared libraries that the bpy wheel needs even without a display, and the Debian or Ubuntu package of each.
SYSTEM_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
}
INSTALL = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(SYSTEM_LIBRARIES.values())}"


def missing_library(message: str) -> str | None:
    """The system library that an error message of the dynamic linker names, or None."""
    return next((name for name in SYSTEM_LIBRARIES if name in message), None)


def explain_import_error(message: str) -> str:
    """One line that says how to repair a failed `import bpy` with the given message."""
    if "No module named 'bpy'" in message:
        return "bpy is not installed: it needs Python 3.11 or 3.13 and the extra 'render' (pip install '.[render]')"
    if library := missing_library(message):
        return f"bpy needs the system library {library}; on Debian or Ubuntu, as root: {INSTALL}"
    last_line = message.strip().rsplit("\n", 1)[-1]
    return f"bpy cannot be imported: {last_line}"


def import_failure() -> str | None:
    """What `import bpy` writes to stderr where it fails, in a fresh process, or None if it works."""
    result = subprocess.run([sys.executable, "-c", "import bpy"], capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr or f"it ended with exit code {result.returncode}"


def main() -> int:
    """Make `import bpy` work, or explain; 0 if it works, 2 if a person has to act."""
    failure = import_failure()
    if failure and missing_library(failure) and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"bpy needs {missing_library(failure)}: installing system libraries ...", flush=True)
        for _ in range(2):  # package mirrors hiccup
            if subprocess.run(["sh", "-c", f"{INSTALL} >/dev/null"], check=False).returncode == 0:
                break
        failure = import_failure()
    if failure:
        print(explain_import_error(failure), file=sys.stderr)
    return 2 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
