"""A small release whose background is photographs."""

import cv2
import numpy as np
import pytest

from render_farm.errors import InputError
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import load_release

RELEASE = """
name = "r"
seed = 5
samples = 8
shard_size = 4
[poses]
candidates = 60
[subjects]
count = 2
[splits]
train = 1.0
val = 0.0
test = 0.0
[look]
backgrounds = { folder = 1.0 }
[files]
photos = "%s"
"""


def picture(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (8, 12, 3), np.uint8))


def release_of(photos, tmp_path, text=RELEASE):
    path = tmp_path / "r.toml"
    path.write_text(text % photos)
    return load_release(str(path))


def refused(release, folder):
    """Why `release` cannot be planned in `folder`, once that is one line."""
    with pytest.raises(InputError) as error:
        ensure_plan(release, folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def begun(photos, tmp_path):
    """A folder in which a shard of a release with photographs lies."""
    folder = tmp_path / "out"
    ensure_plan(release_of(photos, tmp_path), folder)
    (folder / "shard-00000.h5").touch()
    return folder
