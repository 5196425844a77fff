"""The statistics of a release as one table of numbers: JSON on disk, quoted by report, card and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rigging.poses.sampling.diversity import palm_features

from .collect import Collected
from .directions import direction_table
from .hand_sizes import size_table
from .looks import brightness_table, entries_table, skin_table, tone_of
from .photographs import Pictures
from .picture_measures import RING_NAMES, RINGS, mean_and_spread, resolved
from .poses import (
    PoseReference,
    all_angles,
    angle_table,
    cluster,
    effective_number,
    nearest,
    nearest_angles,
    nearest_other,
    quantiles,
)  # fmt: skip
from .views import hand_pixels_table, occlusion_table

NEAR = 0.1  # palm lengths, rms over the joints, about 1 cm: a pose so near to another covers it


def statistics_table(
    found: Collected, reference: PoseReference, photographs: Pictures | None, seed: int = 0
) -> dict[str, Any]:
    """All statistics but what names the data; numbers to 5 digits, the same for the same data and seed."""
    views = found.visible.shape[1]
    tone = tone_of(found.index["ita"])
    table = {
        "samples": len(found.index), "views": views,
        "poses": pose_table(found, reference, np.random.default_rng(seed)),
        "cameras": direction_table(found.palm_directions, found.world_directions),
        "hands": size_table(found.index["subject"], found.index["hand_length"].astype(float), found.joints),
        "skin": skin_table(found.index["ita"], found.index["monk_bin"], found.index["subject"]),
        "light": entries_table(found.light), "backgrounds": entries_table(found.background),
        "brightness": brightness_table(found.brightness, np.repeat(tone[found.measured], views)),
        "occlusion": occlusion_table(found.visible, found.in_frame),
        "size": hand_pixels_table(found.hand_size, found.hand_share, int(found.pictures.sides[0])),
        "pictures": picture_table(found.pictures, photographs),
    }  # fmt: skip
    return rounded(table | {"summary": summary(table)})


def pose_table(found: Collected, reference: PoseReference, rng: np.random.Generator) -> dict[str, Any]:
    """Joint angles, distances (palm lengths) to the reference set, between pairs and to `train`, and clusters."""
    angles, features = all_angles(found.joints, found.wrist), palm_features(found.joints)
    to_reference, from_reference = nearest(features, reference.features), nearest(reference.features, features)
    fingers, known = angles[:, : reference.angles.shape[1]], reference.angles
    apart = nearest_other(features, found.index["pair"])
    label, typical = cluster(angles, rng)
    sizes = np.bincount(label)
    return {
        "angles": angle_table(angles),
        "reference": {
            "name": reference.name, "poses": len(reference.features), "to_reference": quantiles(to_reference),
            "from_reference": quantiles(from_reference), "covered": float((from_reference <= NEAR).mean()),
            "known": float((to_reference <= NEAR).mean()), "near": NEAR,
            "degrees_to_reference": quantiles(nearest_angles(fingers, known)),
            "degrees_from_reference": quantiles(nearest_angles(known, fingers)),
        },
        "between_pairs": quantiles(apart) if np.isfinite(apart).all() else None,
        "to_train": _to_train(features, found.index["split"]),
        "clusters": {
            "sizes": sizes.tolist(), "effective": effective_number(sizes.astype(float)),
            "typical": [{"shard": int(found.index["shard"][i]), "row": int(found.index["row"][i])} for i in typical],
        },
    }  # fmt: skip


def _to_train(features: np.ndarray, split: np.ndarray) -> dict[str, dict[str, float]]:
    """Of each other split, the distance of its poses to the nearest of `train`."""
    train = split == "train"
    others = sorted(set(split.tolist()) - {"train"}) if train.any() else []
    return {name: quantiles(nearest(features[split == name], features[train])) for name in others}


def picture_table(ours: Pictures, photographs: Pictures | None) -> dict[str, Any]:
    """Mean and standard deviation of the measures over pictures, beside those of photographs if there are any."""
    table = {"rings": [list(ring) for ring in RINGS], "release": _pictures(ours)}
    return table if photographs is None else table | {"reference": _pictures(photographs)}


def _pictures(pictures: Pictures) -> dict[str, Any]:
    side = float(np.median(pictures.sides))
    return {
        "pictures": len(pictures.measures), "side_px": side, "resolved": resolved(side),
        "measures": mean_and_spread(pictures.measures),
    }  # fmt: skip


def summary(table: Mapping[str, Any]) -> dict[str, str]:
    """A dozen headline figures in words, for the card and the manifest."""
    poses, cameras, hands = table["poses"], table["cameras"], table["hands"]
    reference = poses["reference"]
    hidden = table["occlusion"]["hidden"]
    worst = max(hidden, key=hidden.get)
    covered = np.mean([angle["range_covered"] for angle in poses["angles"]])
    lines = {
        "joint ranges met": f"{covered:.0%} of the limits' 5 degree steps, mean of {len(poses['angles'])} angles",
        "reference poses covered": f"{reference['covered']:.0%} of {reference['poses']} ({reference['name']}) within "
        f"{reference['near']:g} palm lengths; median distance {reference['from_reference']['p50']:.3f}, or "
        f"{reference['degrees_from_reference']['p50']:.1f} degrees",
        "pose clusters": f"{poses['clusters']['effective']:.1f} effective of {len(poses['clusters']['sizes'])}",
        "camera directions": f"{cameras['palm']['cells_met']:.0%} of 288 equal cells around the hand; "
        + ", ".join(f"{name} {share:.0%}" for name, share in cameras["faces"].items()),
        "hand lengths": f"{hands['mean_mm']:.0f} mm, standard deviation {hands['std_mm']:.0f} ({hands['subjects']} "
        f"subjects); gap to published adults {hands['gap_to_adults']:.2f}, by chance {hands['gap_by_chance']:.2f}",
        "skin tones (subjects)": _counted(table["skin"]["subjects"]),
        "hidden joints": f"{np.mean(list(hidden.values())):.0%} of those in the picture; most often {worst}, "
        f"{hidden[worst]:.0%}",
        **_size_words(table["size"]), **_picture_words(table["pictures"]),
    }  # fmt: skip
    kinds = table["backgrounds"].get("kind", {}).get("counts")
    return lines | ({"backgrounds": _counted(kinds)} if kinds else {})


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items())


def _size_words(size: Mapping[str, Any]) -> dict[str, str]:
    if "longer_side_px" not in size:
        return {}
    low, middle, high = (size["longer_side_px"][name] for name in ("p5", "p50", "p95"))
    return {"hand in the picture": f"{middle:.0f} px of {size['picture_px']} (5 to 95 %: {low:.0f} to {high:.0f})"}


def _picture_words(pictures: Mapping[str, Any]) -> dict[str, str]:
    out = {}
    for name, who in (("release", "pictures"), ("reference", "photographs")):
        if name in pictures:
            found = pictures[name]["measures"]
            known = [ring for ring, holds in zip(RING_NAMES, pictures[name]["resolved"]) if holds and ring in found]
            rings = " ".join(f"{found[ring]['mean']:.3f}" for ring in known)
            about = f"{rings} (rings from {RINGS[0][0]} to {RINGS[max(len(known), 1) - 1][1]} cycles)"
            out[f"spectrum of {pictures[name]['pictures']} {who}"] = f"{about}; noise {found['noise']['mean']:.1f}"
    return out


def rounded(value: Any) -> Any:
    """The same table, its fractions to 5 significant digits, which JSON then holds."""
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
