"""The release in Croissant 1.1 (docs.mlcommons.org/croissant): files, and a record a sample from the Parquet index.

mlcroissant reads no HDF5, so shards are file objects that a record names (`shard_file`). Needs the extra `publish`.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import write_atomic

from ..format.schema import SAMPLE_FIELDS
from ..load.index import COLUMNS
from .facts import Facts, PublishedFile
from .wording import citation, description, limits, summary_of_checks, title

HDF5, PARQUET = "application/x-hdf5", "application/x-parquet"
SPDX = {"cc0-1.0": "CC0-1.0", "apache-2.0": "Apache-2.0", "cc-by-nc-4.0": "CC-BY-NC-4.0", "cc-by-4.0": "CC-BY-4.0",
        "mit": "MIT"}  # fmt: skip
CR = "http://mlcommons.org/croissant/"
CROISSANT_1_1 = f"{CR}1.1"
SPLIT_KINDS = {"train": "TrainingSplit", "val": "ValidationSplit"}  # of Croissant; every other one is a TestSplit
OWN_COLUMNS = {"shard": "Number of the shard that holds the sample.", "row": "Row of the sample in its shard.",
               "verdict": "Verdict of the validation on the sample.", "background": "Kind of background.",
               "light": "Panorama that lights the hand."}  # fmt: skip


def write_croissant(path: Path, facts: Facts, parquet: PublishedFile) -> None:
    """Write the description of a release whose Parquet index is `parquet`. Raises InputError if it is not valid."""
    text = json.dumps(croissant(facts, parquet), indent=2, ensure_ascii=False, sort_keys=True)
    write_atomic(path, (text + "\n").encode())


def croissant(facts: Facts, parquet: PublishedFile) -> dict[str, Any]:
    """The JSON-LD of a release."""
    mlc = _library()
    try:
        metadata = mlc.Metadata(
            name=title(facts), description=description(facts), version=facts.version, url=facts.homepage,
            license=licence_names(facts), cite_as=citation(facts), date_published=_date(facts.date),
            keywords=["hand pose estimation", "multi-view", "synthetic", "hand mesh"],
            distribution=[_file(mlc, parquet, PARQUET), *(_file(mlc, shard, HDF5) for shard in facts.shards)],
            record_sets=[_splits(mlc, facts), _samples(mlc, parquet.path)], ctx=mlc.Context(conforms_to=CROISSANT_1_1),
            data_collection="Rendered with mvhm from a plan that was drawn once from the release's seed.",
            data_limitations=limits(facts),
            data_annotation_protocol=["Labels are computed from the mesh that is rendered."],
            data_annotation_analysis=[summary_of_checks(facts)],
            personal_sensitive_information=["None: hands, skins and scenes are synthetic."],
        )  # fmt: skip
    except mlc.ValidationError as error:
        raise InputError(f"Croissant: {str(error).splitlines()[0]}") from error
    return metadata.to_json()


def licence_names(facts: Facts) -> list[str]:
    """Terms of all that went in: SPDX's pages for those known there, else their words."""
    pages = (SPDX.get(licence.identifier) for licence in facts.licences)
    names = (f"https://spdx.org/licenses/{page}.html" if page else None for page in pages)
    return sorted({name or f"{licence.what}: {licence.licence}" for name, licence in zip(names, facts.licences)})


def _library() -> Any:
    import mlcroissant

    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns of what nobody has to state, such as a date
    return mlcroissant


def _date(text: str | None) -> Any:
    from datetime import datetime

    return None if text is None else datetime.fromisoformat(text)


def _file(mlc: Any, file: PublishedFile, kind: str) -> Any:
    return mlc.FileObject(
        id=file.path, name=file.path, content_url=file.path, content_size=f"{file.bytes} B", sha256=file.sha256,
        encoding_formats=[kind],
    )  # fmt: skip


def _splits(mlc: Any, facts: Facts) -> Any:
    """The splits as an enumeration, each with the kind that Croissant knows it as."""
    rows = [{"splits/name": name, "splits/url": f"{CR}{SPLIT_KINDS.get(name, 'TestSplit')}"} for name in facts.splits]
    fields = [
        mlc.Field(
            id="splits/name", name="splits/name", data_types=[mlc.DataType.TEXT], description="Name of the split."
        ),
        mlc.Field(id="splits/url", name="splits/url", data_types=[mlc.DataType.URL], description="Kind of split."),
    ]
    return mlc.RecordSet(
        id="splits", name="splits", key=["splits/name"], fields=fields, data=rows, data_types=[mlc.DataType.SPLIT],
        description="The splits that samples belong to.",
    )  # fmt: skip


def _samples(mlc: Any, parquet: str) -> Any:
    return mlc.RecordSet(
        id="samples", name="samples", key=["samples/sample"], fields=[_field(mlc, name, parquet) for name in COLUMNS],
        description="A record a sample: where it lies (shard-SHARD.h5, row), its split, and what it shows.",
    )  # fmt: skip


def _field(mlc: Any, name: str, parquet: str) -> Any:
    about = OWN_COLUMNS.get(name) or SAMPLE_FIELDS[name].description
    source = mlc.Source(file_object=parquet, extract=mlc.Extract(column=name))
    references = mlc.Source(field="splits/name") if name == "split" else mlc.Source()
    return mlc.Field(
        id=f"samples/{name}", name=f"samples/{name}", description=about, source=source, references=references,
        data_types=[_type(mlc, COLUMNS[name])],
    )  # fmt: skip


def _type(mlc: Any, dtype: str) -> Any:
    kinds = {"str": mlc.DataType.TEXT, "int64": mlc.DataType.INT64, "uint8": mlc.DataType.UINT8,
             "float32": mlc.DataType.FLOAT32}  # fmt: skip
    return kinds[dtype]
