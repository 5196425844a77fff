"""What the detector made of a release, as one table of numbers: JSON on disk, quoted by report, card and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rigging.joints import JOINT_NAMES

from ..statistics.bootstrap import mean_interval
from ..statistics.collect import Collected
from ..statistics.table import rounded
from .detector import SETTINGS, WANTED
from .groups import Grouping, groupings
from .joint_map import MAPPED, OFFSETS
from .look import Seen

ASTRAY = 0.25  # of the hand's box: beyond it another thing was taken for the hand, or its pose was not understood


@dataclass(frozen=True)
class Views:
    """The n views that show a hand: how the detector did, and whose hand it is."""

    found: np.ndarray  # (n,) bool
    error: np.ndarray  # (n, 21) shares of the longer side of the hand's box; NaN where no hand was found
    sided: np.ndarray  # (n,) bool, right about left and right; False where no hand was found
    score: np.ndarray  # (n,) how sure it is of that, 0.5 to 1; NaN where no hand was found
    subject: np.ndarray  # (n,)

    def take(self, chosen: np.ndarray) -> Views:
        """Those of a mask (n,)."""
        return Views(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


def views_of(seen: Seen, labels: Collected) -> Views:
    """The views that show a hand, in the order of samples and views."""
    shown = labels.hand_size > 0
    error = errors(seen, labels)
    subject = np.repeat(labels.index["subject"][:, None], shown.shape[1], 1)
    sided = seen.side == labels.index["hand"][:, None]
    return Views(seen.found[shown], error[shown], sided[shown], seen.score[shown], subject[shown])


def errors(seen: Seen, labels: Collected) -> np.ndarray:
    """Distances (S, V, 21) from where points are expected, in shares of the longer side of the hand's box."""
    return np.linalg.norm(seen.points - seen.expected, axis=-1) / np.maximum(labels.hand_size, 1)[..., None]


def judge_table(seen: Seen, labels: Collected, photographs: Mapping[str, int] | None = None) -> dict[str, Any]:
    """All figures but what names the data; to 5 digits, the same for the same data."""
    views, shown = views_of(seen, labels), labels.hand_size > 0
    table = {
        "detector": {"name": "MediaPipe Hands", "version": WANTED, **SETTINGS},
        "samples": len(labels.index), "picture_px": int(labels.pictures.sides[0]),
        "hidden_views": int((~shown).sum()), "astray_from": ASTRAY,
        "joint_map": {JOINT_NAMES[joint]: offset for joint, offset in zip(MAPPED, OFFSETS.tolist())},
        "all": figures(views), "joints": joint_errors(views),
        "groups": {name: _groups(views, grouping, shown) for name, grouping in groupings(labels).items()},
        "photographs": dict(photographs) if photographs else None,
    }  # fmt: skip
    return rounded(table | {"summary": summary(table)})


def _groups(views: Views, grouping: Grouping, shown: np.ndarray) -> dict[str, Any]:
    """Figures of each group that has a view."""
    of = grouping.of[shown]
    return {str(name): figures(views.take(of == k)) for k, name in enumerate(grouping.names) if (of == k).any()}


def figures(views: Views) -> dict[str, Any]:
    """Rates and errors of some views, with 95 % intervals over subjects; of the hands found, where one is.

    An error of a view is the mean over its joints.
    """
    out: dict[str, Any] = {"views": len(views.found), "subjects": len(np.unique(views.subject))}
    out["found"] = rate(views.found, views.subject)
    hits = views.take(views.found)
    if not len(hits.found):
        return out | {"error": None, "side": None, "score": None, "astray": None}
    error = hits.error.mean(1)
    known = error[np.isfinite(error)]
    interval = mean_interval(known, hits.subject[np.isfinite(error)])
    mean = {"mean": float(known.mean()), "interval": interval and list(interval)}
    out["error"] = {"median": float(np.median(known)), **mean}
    sure = {"side": rate(hits.sided, hits.subject), "score": {"median": float(np.median(hits.score))}}
    return out | sure | {"astray": float((known > ASTRAY).mean())}


def rate(right: np.ndarray, subject: np.ndarray) -> dict[str, Any]:
    """The share of (n,) bool that is true, with its interval over subjects (n,)."""
    interval = mean_interval(right, subject)
    return {"mean": float(right.mean()), "interval": interval and np.clip(interval, 0, 1).tolist()}


def joint_errors(views: Views) -> dict[str, float]:
    """Median error of each joint over the views in which a hand was found."""
    if not views.found.any():
        return {}
    return dict(zip(JOINT_NAMES, np.nanmedian(views.error[views.found], axis=0).tolist()))


def summary(table: Mapping[str, Any]) -> dict[str, str]:
    """The headline figures in words, for the card and the manifest."""
    every, groups = table["all"], table["groups"]
    lines = {
        "detector": f"MediaPipe Hands {WANTED}, one hand a picture, from a confidence of "
        f"{SETTINGS['min_detection_confidence']}, pictures of {table['picture_px']} px",
        "hands found": f"{percent(every['found'])} of {every['views']} views, {every['subjects']} subjects",
    }  # fmt: skip
    if every["error"]:
        lines["error"] = f"{every['error']['median']:.3f} of the hand's box, median; mean {error_text(every['error'])}"
        lines["left or right"] = f"{percent(every['side'])} right"
    lines["found, by what is seen"] = _each(groups["seen from"])
    lines["found, by skin tone"] = _each(groups["tones"])
    if table["photographs"]:
        found, of = table["photographs"]["found"], table["photographs"]["photographs"]
        lines["photographs"] = f"a hand found in {found} of {of}"
    return lines


def percent(share: Mapping[str, Any]) -> str:
    """A rate and its interval in words."""
    interval = share["interval"]
    span = f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})" if interval else ""
    return f"{100 * share['mean']:.1f} %{span}"


def error_text(error: Mapping[str, Any]) -> str:
    """A mean error and its interval in words."""
    interval = error["interval"]
    return f"{error['mean']:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _each(groups: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {100 * of['found']['mean']:.1f} %" for name, of in groups.items())
