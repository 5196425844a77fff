"""Fields that only some shards hold, and the version of the schema of one that does.

Without such a field the others would be misread, so a shard with one is of a version that older readers refuse. All
other shards are of SCHEMA_VERSION, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable

from .schema import SAMPLE_FIELDS, SCHEMA_VERSION, Field

WITH_OPTIONAL = 3
OPTIONAL = (
    Field("distortion", "geometry", "float64", ("V", 5), "-", "camera to image",
          "Lens: k1, k2, p1, p2, k3 of OpenCV's model; all images and pixels are those of the distorted picture."),
)  # fmt: skip
OPTIONAL_FIELDS = {field.name: field for field in OPTIONAL}
KNOWN_FIELDS = SAMPLE_FIELDS | OPTIONAL_FIELDS  # all that a sample may have


def fields_with(names: Iterable[str]) -> dict[str, Field]:
    """The fields of a sample whose optional fields are those among `names`."""
    held = set(names)
    return SAMPLE_FIELDS | {name: field for name, field in OPTIONAL_FIELDS.items() if name in held}


def version_with(names: Iterable[str]) -> int:
    """The version of the schema of a shard that holds the fields `names`."""
    return SCHEMA_VERSION if OPTIONAL_FIELDS.keys().isdisjoint(names) else WITH_OPTIONAL
