"""Make the environment in which the benchmark runs BlenderProc: `python -m tests.benchmarks.blenderproc_env FOLDER`.

BlenderProc 2.8.0 is meant to run inside a Blender that it downloads (4.2). Here it runs on Blender 4.2 as a Python
module (bpy 4.2.0), in a virtual environment of its own, because its dependencies clash with ours. Three lines of it
are changed (`PATCHES`); what renders is untouched. FOLDER is out/bench/blenderproc if not given; about 2 GB.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import venv
from pathlib import Path

_log = logging.getLogger(__name__)

DEFAULT_FOLDER = Path("out/bench/blenderproc")
BLENDERPROC = ("bpy==4.2.0", "blenderproc==2.8.0")  # without what they require: they name more than they need
REQUIREMENTS = (  # the versions that blenderproc.python.utility.DefaultConfig names, and what its METADATA adds
    "numpy==1.26.4", "pyyaml==6.0.1", "imageio==2.34.1", "gitpython==3.1.43", "scikit-image==0.23.2",
    "pypng==0.20220715.0", "scipy==1.13.1", "matplotlib==3.9.0", "pytz==2024.1", "h5py==3.11.0", "pillow==10.3.0",
    "opencv-contrib-python-headless==4.10.0.82", "scikit-learn==1.5.0", "python-dateutil==2.9.0.post0",
    "rich==13.7.1", "trimesh==4.4.0", "requests", "progressbar==2.5", "setuptools<81", "wheel",
)  # fmt: skip
PATCHES = (  # file, what it says, what it has to say
    (  # its dependencies lie beside it
        "__init__.py",
        'sys.path.remove(os.path.abspath(os.path.join(os.path.dirname(__file__), "..")))',
        "pass",
    ),
    (  # do not install packages into Blender's own Python: they are here
        "python/utility/SetupUtility.py",
        "packages_path = SetupUtility.setup_pip(user_required_packages, blender_path, major_version,"
        " reinstall_packages)",
        "packages_path = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))",
    ),
    (  # Blender as a module knows no languages
        "python/utility/Initializer.py",
        'bpy.context.preferences.view.language != "en_US"',
        'bpy.context.preferences.view.language not in ("en_US", "DEFAULT")',
    ),
)


def python_of(folder: Path) -> Path:
    """The interpreter of the environment in `folder`."""
    return folder / "bin" / "python"


def is_ready(folder: Path) -> bool:
    """Whether `make_environment` has finished in `folder`."""
    return (folder / "ready").exists()


def make_environment(folder: Path) -> None:
    """Make the environment, unless it is there. subprocess.CalledProcessError if pip cannot install something."""
    if is_ready(folder):
        return
    _log.info("installing Blender 4.2 and BlenderProc 2.8.0 into %s ...", folder)
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(python_of(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "setuptools<81", "wheel"], check=True)
    subprocess.run([*pip, *REQUIREMENTS], check=True)
    subprocess.run([*pip, "--no-deps", *BLENDERPROC], check=True)
    patch(next(folder.glob("lib/python3*/site-packages/blenderproc")))
    (folder / "ready").touch()


def patch(package: Path) -> None:
    """Change the lines of PATCHES in the installed `package`. ValueError if a line is not as expected."""
    for name, old, new in PATCHES:
        text = (package / name).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{package / name} does not say {old!r} once: is this BlenderProc 2.8.0?")
        (package / name).write_text(text.replace(old, new), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT_FOLDER)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        make_environment(parser.parse_args().folder.resolve())
    except subprocess.CalledProcessError as error:
        _log.error("pip ended with exit code %d: %s", error.returncode, " ".join(error.cmd))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
