"""Pseudo labels as a source: pictures and cameras of a data set, and nothing of its own labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from rigging.errors import InputError

from .label_file import Labels, identity
from .source import Arrays, Source

# Of the source, with the part of a picture that no label has a say in; its own labels, mask, alpha, depth and mesh are
# not read on.
SEEN = ("rgb", "K", "world_to_cam", "hand_box")
GIVEN = ("joints_2d", "label_confidence")  # by the labels


class PseudoLabelled:
    """A source whose joints_2d are pseudo labels, with `label_confidence` (V, 21); there is no other label.

    Raises InputError for labels of another data set, of other views, or that some of the samples lack.
    """

    def __init__(self, source: Source, labels: Labels) -> None:
        self.source, self.labels, self.name = source, labels, source.name
        self.samples, self.views, self.image_size = source.samples, source.views, source.image_size
        self.numbers, self.subjects, self.splits = source.numbers, source.subjects, source.splits
        self.configuration_hash = getattr(source, "configuration_hash", "")
        self.fields = frozenset(source.fields & set(SEEN)) | set(GIVEN)
        self._rows = rows_of(source, labels)

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See Source."""
        arrays, row = self.source.read(sample, views), self._rows[sample]
        chosen = slice(None) if views is None else list(views)
        return {name: arrays[name] for name in SEEN if name in arrays} | {
            "joints_2d": self.labels.joints_2d[row, chosen],
            "label_confidence": self.labels.confidence[row, chosen],
        }


def with_true_view(labels: Labels, truth: Source, view: int) -> Labels:
    """The labels with those of one view, from 0, as they are in `truth`, and sure: weak supervision.

    Zheng et al. 2023, supplement, Table C. Raises InputError for a view that there is not.
    """
    if not 0 <= view < truth.views:
        raise InputError(f"--true-view {view}: {truth.name} has the views 0 to {truth.views - 1}")
    joints, sure, rows = labels.joints_2d.copy(), labels.confidence.copy(), rows_of(truth, labels)
    joints[rows, view] = [truth.read(sample, (view,))["joints_2d"][0] for sample in range(truth.samples)]
    sure[rows, view] = 1
    return dataclasses.replace(labels, joints_2d=joints, confidence=sure, about=labels.about | {"true_view": view})


def rows_of(source: Source, labels: Labels) -> np.ndarray:
    """(n,) int64: the row of the labels of each of the source's samples. Raises InputError where they do not fit."""
    where = labels.about.get("path", "labels")
    made = {name: labels.about.get("data", {}).get(name) for name in identity(source)}
    for name, here in identity(source).items():
        if made[name] and here and made[name] != here:
            raise InputError(f"{where}: labels of another data set than {source.name}: its {name} is {made[name]}")
    if labels.confidence.shape[1] != source.views:
        raise InputError(f"{where}: labels of {labels.confidence.shape[1]} views, {source.name} has {source.views}")
    order = np.argsort(labels.sample)
    places = np.searchsorted(labels.sample, source.numbers, sorter=order).clip(max=len(order) - 1)
    rows = order[places] if len(order) else np.zeros(0, np.int64)
    lacking = source.numbers[labels.sample[rows] != source.numbers] if len(order) else source.numbers
    if len(lacking):
        few = f"{len(lacking)} of {source.samples} samples"
        raise InputError(f"{where}: no labels of {few} of {source.name}, such as number {lacking[0]}")
    return rows
