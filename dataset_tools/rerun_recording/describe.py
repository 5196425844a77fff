"""What is known of a sample, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..load.index import entries_of


def description(meta: Mapping[str, Any]) -> str:
    """A table in Markdown of a sample's metadata: which it is, whose hand, in what light, before what."""
    light, background = entries_of(meta["light"]), entries_of(meta["background"])
    rows = {
        "split": meta["split"],
        "pair or clip": f"{meta['pair']}, pose {meta['pair_role'] + 1}",
        "pose": f"{meta['pose_source']}: {meta['clip']}, frame {meta['source_frame']}",
        "subject": f"{meta['subject']}, {meta['hand']} hand, {1000 * meta['hand_length']:.0f} mm",
        "skin": f"ITA {meta['ita']:.0f}°, Monk {meta['monk_bin']}",
        "arm": meta["arm_style"],
        "light": _words(light, ("hdri", "exposure_ev"), lamps=light.get("lamps")),
        "background": _words(background, ("kind",)),
    }
    lines = [f"| {name} | {_plain(str(value))} |" for name, value in rows.items()]
    return "\n".join([f"### Sample {meta['sample']}", "", "| | |", "|---|---|", *lines])


def _words(facts: Mapping[str, Any], names: tuple[str, ...], lamps: Any = None) -> str:
    """Some of the facts, and the lamps: their kinds, or how many there are."""
    told = [f"{facts[name]:+.2f} EV" if name == "exposure_ev" else str(facts[name]) for name in names if name in facts]
    if isinstance(lamps, list):
        told += [f"{lamp.get('kind', 'lamp')} {lamp.get('kelvin', 0):.0f} K" for lamp in lamps]
    return ", ".join(told) or "-"


def _plain(text: str) -> str:
    """Text that does not end a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")
