"""Protocols: what was done to a prediction before it was measured, so that every figure can say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rigging.errors import InputError

from .align import (
    MIDDLE_MCP,
    WRIST,
    Similarity,
    fit_bone,
    fit_centroid,
    fit_least_squares,
    fit_nothing,
    fit_procrustes,
    fit_root,
)
from .check import checked_points
from .errors import MM, distances

RANGES = {"mm": ((0.0, 50.0), (20.0, 50.0)), "px": ((0.0, 30.0),)}  # of the AUCs, by unit


@dataclass(frozen=True)
class Protocol:
    """How predictions are compared with labels. Raises InputError for what makes no sense together."""

    name: str
    root: int | None = None  # joint that is made to coincide; None leaves positions as they are
    scale: Literal["none", "bone", "least_squares"] = "none"  # of the prediction, about its root, from the label
    # By least squares over all points: shifted, or a similarity.
    alignment: Literal["none", "centroid", "procrustes", "procrustes_or_mirror"] = "none"
    oracle: bool = False  # the prediction itself was made with the label's root depth and scale
    unit: Literal["mm", "px"] = "mm"
    points: Literal["joints", "vertices"] = "joints"
    bone: tuple[int, int] = (WRIST, MIDDLE_MCP)  # for scale "bone"
    projected: bool = False  # in pixels: where the camera sees the joints in space, instead of those found in the image

    def __post_init__(self) -> None:
        if self.scale != "none" and self.root is None:
            raise InputError(f"protocol {self.name}: a scale needs a root")
        if self.alignment != "none" and self.root is not None:
            raise InputError(f"protocol {self.name}: an alignment leaves nothing to a root or scale")
        if self.unit == "px" and (self.root is not None or self.alignment != "none" or self.points != "joints"):
            raise InputError(f"protocol {self.name}: in pixels, joints are compared as they are")
        if self.projected and self.unit != "px":
            raise InputError(f"protocol {self.name}: what is projected is compared in pixels")

    def describe(self) -> str:
        """All of it in words, for the head of a table."""
        root = "absolute" if self.root is None else f"relative to joint {self.root}"
        scale = {"none": "own scale", "least_squares": "scale by least squares"}.get(
            self.scale, f"scale by bone {self.bone[0]}-{self.bone[1]}"
        )
        aligned = {
            "centroid": "means of the joints made to coincide, own scale",
            "procrustes": "Procrustes-aligned",
            "procrustes_or_mirror": "Procrustes-aligned, mirroring allowed",
        }
        seen = "those in space as the camera sees them" if self.projected else root
        how = aligned.get(self.alignment, seen if self.unit == "px" else f"{root}, {scale}")
        oracle = "root depth and scale of the labels" if self.oracle else "no oracle"
        return f"{self.points} in {self.unit}, {how}, {oracle}"

    def fit(self, pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> Similarity:
        """The alignment of joints (n, K, 3) m; apply it to vertices, too, unless it is Procrustes'."""
        if self.alignment == "centroid":
            return fit_centroid(pred, true, valid)
        if self.alignment != "none":
            return fit_procrustes(pred, true, valid, mirror=self.alignment == "procrustes_or_mirror")
        if self.root is None:
            return fit_nothing(pred)
        if self.scale == "bone":
            return fit_bone(pred, true, valid, self.root, self.bone)
        fit = fit_least_squares if self.scale == "least_squares" else fit_root
        return fit(pred, true, valid, self.root)

    def errors(self, pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
        """Errors (n, K) of joints, (n, K, 3) m or (n, K, 2) px, in `unit`.

        NaN where a joint is not valid, and for all joints of a sample that lacks what the alignment needs. The root
        itself counts, with error 0.
        """
        if self.unit == "px":
            return distances(*checked_points(pred, true, valid, axes=2, what="joints in the image"))
        pred, true, valid = checked_points(pred, true, valid)
        return distances(self.fit(pred, true, valid).apply(pred), true, valid) * MM

    def aligned_vertices(
        self,
        vertices: tuple[np.ndarray, np.ndarray],
        joints: tuple[np.ndarray | None, np.ndarray | None],
        valid: np.ndarray | None = None,
    ) -> np.ndarray:
        """Predicted vertices (n, N, 3) m after the alignment; pairs are (predictions, labels), valid is of the joints.

        It is fitted to the joints, or to the vertices themselves if it is Procrustes'. NaN for a sample that lacks what
        the alignment needs. Raises InputError if the joints are missing.
        """
        if self.root is None:
            return self.fit(*vertices).apply(vertices[0])
        if joints[0] is None or joints[1] is None:
            raise InputError(f"protocol {self.name}: vertices relative to a root need the joints, too")
        return self.fit(*joints, valid).apply(vertices[0])


PROTOCOLS = (
    Protocol("mvhm", oracle=True),
    Protocol("absolute"),
    Protocol("root_relative", root=WRIST),
    Protocol("root_relative_oracle", root=WRIST, oracle=True),
    Protocol("n_mpjpe_bone", root=MIDDLE_MCP, scale="bone"),
    Protocol("n_mpjpe_ls", root=WRIST, scale="least_squares"),
    Protocol("centred", alignment="centroid"),
    Protocol("procrustes", alignment="procrustes"),
    Protocol("procrustes_freihand", alignment="procrustes_or_mirror"),
    Protocol("mpvpe_absolute", points="vertices"),
    Protocol("mpvpe", root=WRIST, points="vertices"),
    Protocol("mpvpe_absolute_oracle", oracle=True, points="vertices"),
    Protocol("mpvpe_oracle", root=WRIST, oracle=True, points="vertices"),
    Protocol("mpvpe_procrustes", alignment="procrustes", points="vertices"),
    Protocol("image", unit="px"),
    Protocol("projected", unit="px", projected=True),
)


def protocol(name: str) -> Protocol:
    """The protocol of that name. Raises InputError."""
    for known in PROTOCOLS:
        if known.name == name:
            return known
    raise InputError(f"no protocol is called {name!r}; known: {', '.join(known.name for known in PROTOCOLS)}")
