"""docs/format.md, written from the schema."""

from __future__ import annotations

from .codecs import CODECS
from .elements import Element
from .optional import OPTIONAL, WITH_OPTIONAL
from .schema import FORMAT, GEOMETRY, IMAGES, METADATA, SAMPLE_FIELDS, SCHEMA_VERSION, SHARD, SYMBOLS, Field

HEAD = """# The shard format, versions {version} and {optional}

*Written by `mvhm format --write docs/format.md` from `dataset_tools/format/schema.py`; do not edit.*

A shard is one HDF5 file, `shard-0000n.h5`, with a manifest `shard-0000n.json` beside it (sha256, bytes, samples,
schema version, configuration hash, package versions). Images are compressed with HDF5's shuffle filter and
Zstandard, so other readers than `HandDataset` need the Zstandard filter (`import hdf5plugin` in Python).

## Conventions
- Metres, radians, pixels. World and cameras are right-handed; in the world +z is up.
- A camera looks along +z, x right, y down (OpenCV). The centre of the top-left pixel is (0.5, 0.5).
- A world point X is seen at pixel (u, v) with depth z where `[x, y, z, 1] = world_to_cam [X, 1]` and
  `z [u, v, 1] = K [x, y, z]`; through a lens (`distortion`, below) `[u, v, 1] = K [D(x / z, y / z), 1]`.
- `depth` is this z, not the distance along the ray (`rigging.geometry.projection.depth_to_distance` converts).
- Labels are taken at pixel centres, of the very meshes stored in the file: they are not anti-aliased; `alpha` is.
- Flow of a pixel is where its surface point goes, seen by the same camera; whether that point is hidden there is
  `flow_*_visible`. Samples come in pairs of neighbouring poses (t, t + 1) that share cameras, light and subject, or in
  clips of up to 120: `pair` then numbers the clips, and `pair_role` the poses t of one from 0.
- Joints: wrist, then thumb, index, middle, ring and little finger, each from the palm outwards.
- A left hand (`hand`) is a right one mirrored, so the order of its triangles is clockwise from outside
  (`dataset_tools.load.dataset.outward` turns them).

## The file
Attributes of the file: `format` = "{format}", `schema_version` = {version} or {optional}, `samples`, `sizes` (JSON: the
value of every letter below), `units`, `joint_names`, `joint_parents`, `part_names` (JSON lists), `checksums` (below),
and the shard's texts and numbers listed last. The first axis of everything under `images/`, `geometry/` and
`metadata/` is the sample, S in all. Letters in shapes:

{symbols}

Every element (a dataset, or a group with the parts of its codec) says in attributes of its own what it is: `unit`,
`frame`, `description`, and in `encoding`, as JSON, how it is to be read:

    {example}

The loader decodes by this and not by what it expects: a field that it does not know is read if its encoding is known;
an encoding, or a version of one, that it does not know is named, as is what it reads. Attributes and texts are UTF-8
of fixed length, padded with zeros: what HDF5 keeps of variable length lies in a heap without a checksum.

## Checksums
Nothing is returned that is not what was written. HDF5 checks its own structures and, with a Fletcher-32 sum, chunks;
everything is under a CRC-32 (zlib's) of the shard's own besides, which `HandDataset` compares at every read:
- `checksums/samples`, uint32 (S, C): a sum for each sample and dataset, or for each of its views. The attribute
  `columns` (JSON) maps a dataset's path to its first column and their number: V for a `code` (of the chunk as stored,
  after its filters) and for `jpeg` (of each stream), 1 for all else (of the row; of the V + 1 numbers of `offsets`).
- `checksums/shard`, uint32 (K,); its attribute `names` (JSON) says of what: of a dataset of `shard/` the text of its
  `encoding` followed by its bytes, of any other element that text, and of `attributes` those of the file but
  `checksums`, as Python's `json.dumps` writes them by name.
- the file's attribute `checksums`: the sum of `columns`, `checksums/samples`, `names` and `checksums/shard`, one after
  another.

## Version {optional}
A shard that holds an optional field (`distortion`: its cameras have lenses) is of version {optional}. Readers that know
no more than version {version} refuse it, as they would misread its cameras; in all else the two are alike. All samples
of a release hold the field, or none. With r^2 = x^2 + y^2 a lens takes a point (x, y) of the plane z = 1 to

    D(x, y) = (x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2),
               y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y)

as in OpenCV (`cv2.projectPoints`, coefficients in this order). No lens folds within its picture; a point so far beside
the camera that its lens would fold it back has no pixel (NaN in `joints_2d`) and is not in the frame.

## Version 1
Version 1 kept texts of variable length, no `encoding` attributes and no checksums but Fletcher-32 and
`images/rgb/crc32`; otherwise it is as version 2. Its table is frozen in `dataset_tools/format/schema1.py`. The loader
compares such a file with the sha256 of its manifest, once in a process, before it reads from it, and does not read it
without one unless told to (`verify=False`).
"""


def format_page() -> str:
    """The text of docs/format.md."""
    symbols = "\n".join(f"- {letter}: {meaning}" for letter, meaning in SYMBOLS.items())
    parts = [
        HEAD.format(version=SCHEMA_VERSION, optional=WITH_OPTIONAL, format=FORMAT, symbols=symbols, example=_example()),
        _table("Images", "`images/NAME/`, a group with the parts of its codec (below)", IMAGES),
        _table("Geometry", "`geometry/NAME`, as it is", GEOMETRY),
        _table("Optional", "`geometry/NAME`, as it is; only in shards of version 3", OPTIONAL),
        _table("Metadata", '`metadata/NAME`, texts in UTF-8; in Python the dict `sample["meta"]`', METADATA),
        _table(
            "Shard", "arrays and texts with the codec `text`: `shard/NAME`; other texts, and numbers: attributes", SHARD
        ),
        _codecs(),
    ]
    return "\n".join(parts)


def _table(title: str, where: str, fields: tuple[Field, ...]) -> str:
    rows = "\n".join(_row(field) for field in fields)
    head = "| name | dtype | shape | unit | frame | codec | error at most | what it is |\n" + "|---" * 8 + "|"
    return f"## {title}\nIn the file: {where}.\n\n{head}\n{rows}\n"


def _row(field: Field) -> str:
    shape = "(" + ", ".join(map(str, field.shape)) + ("," if len(field.shape) == 1 else "") + ")"
    lens = ["distortion"] if "K" in field.derived_from else []
    sources = ", ".join(f"`{name}`" for name in (*field.derived_from, *lens))
    codec = f"`{field.codec}`" if field.stored else f"not stored: from {sources}"
    text = field.description.replace("|", "\\|")
    error = field.error.replace("|", "\\|")
    return f"| `{field.name}` | {field.dtype} | {shape} | {field.unit} | {field.frame} | {codec} | {error} | {text} |"


def _example() -> str:
    return Element.of(SAMPLE_FIELDS["normals"]).text


def _codecs() -> str:
    lines = ["## Codecs", "A `code` is in chunks of one view. Fields of dtype str are `text` in the file.", ""]
    for name, codec in CODECS.items():
        constants = ", ".join(f"`{key}` = {value}" for key, value in codec.constants.items())
        lines.append(f"- `{name}`, version {codec.version}" + (f"; {constants}" if constants else ""))
        lines += [f"  - {f'`{part}`: ' if part else ''}{text}" for part, text in codec.parts.items()]
    return "\n".join(lines) + "\n"
