"""Labels of the pixels and of the joints, held against rays cast at the stored meshes."""

from __future__ import annotations

import numpy as np

from rigging.joints import JOINT_PARENTS, adjoining_parts

from .figures import Check, Figure, Figures, measured, worst_view
from .stored import Pixels, Stored
from .surface import Hits, Surface, Views

TIE = 0.02  # px: a label is right if a ray this near to the pixel's centre meets what it says
TIE_DEPTH = 2e-5  # m: by how much the depth may leave the range of depths over that distance
STRAY = 3  # pixels of a view that may be off by more than the figure says: rays that graze an edge
HIDDEN = 5e-5  # m: a point further behind the first surface than this is hidden
TOUCH = 5e-6  # m: one that is nearer than this is seen
MOST_DOUBTS = 4000  # pixels that are looked at twice; more than that many are wrong anyhow

CHECKS = (
    Check("mask", "share of pixels beside the outline whose hand, arm or background the meshes do not show", 0.02, ""),
    Check("parts", "share of pixels whose part the meshes do not show", 0.004, ""),
    Check("depth", "largest difference of depth from the meshes", 0.02, "mm"),
    Check("normals", "largest angle of normals to the meshes'", 0.1, "degrees"),
    Check("flow", "largest difference of flow from where the neighbour's meshes are", 0.03, "px"),
    Check("flow_valid", "contradictions between flow, its validity and the sample's neighbours", 0, "cases"),
    Check("flow_visible", "share of pixels whose flow_*_visible the neighbour's meshes contradict", 0.004, ""),
    Check("joint_visible", "joints whose visibility the meshes contradict", 0, "joints"),
    Check("joint_in_frame", "joints of which joint_in_frame says the wrong side of the border", 0, "joints"),
)
_ADJOINING = np.zeros((len(JOINT_PARENTS), 256), bool)
for _joint in range(len(JOINT_PARENTS)):
    _ADJOINING[_joint, list(adjoining_parts(_joint))] = True
_RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1) * TIE  # (8, 2) px


def label_figures(sample: Stored) -> Figures:
    """Figures of all CHECKS of one sample."""
    pixels, count = sample.pixels, len(sample["K"])
    part, hit = sample.topology.part[pixels.hits.triangle], pixels.hits.triangle >= 0
    stored, depth = pixels.of(sample["parts"]), pixels.of(sample["depth"]).astype(float)
    seen = np.where(hit, pixels.hits.depth, 0)
    doubt = (part != stored) | (np.abs(depth - seen) > CHECKS[2].limit / 1000)
    tie = _ties(sample, pixels, doubt, stored, depth)
    wrong = (part != stored) & ~tie
    outline = ((part > 0) != (stored > 0)) & ~tie
    same = (part == stored) & hit & ~tie
    off = np.where(same, np.abs(depth - seen) * 1000, np.where(~tie & (stored == 0), depth * 1000, np.nan))
    return measured(
        mask=worst_view(_shares(outline, pixels.view, count, pixels.edge)),
        parts=worst_view(_shares(wrong, pixels.view, count)),
        depth=worst_view(_largest(off, pixels.view, count)),
        normals=worst_view(_largest(_normal_angles(sample, pixels, same), pixels.view, count)),
    ) | _flow_figures(sample, pixels, same) | joint_figures(sample)  # fmt: skip


def _shares(wrong: np.ndarray, view: np.ndarray, count: int, among: np.ndarray | None = None) -> np.ndarray:
    """(V,) share of the pixels `among` that are wrong; NaN without any."""
    among = np.ones(len(wrong), bool) if among is None else among
    all_of = np.bincount(view[among], minlength=count)
    return np.bincount(view[among & wrong], minlength=count) / np.where(all_of > 0, all_of, np.nan)


def _largest(values: np.ndarray, view: np.ndarray, count: int) -> np.ndarray:
    """(V,) largest of the values that are not NaN, but for STRAY; NaN without so many."""
    out, there = np.full(count, np.nan), ~np.isnan(values)
    for v in range(count):
        mine = values[there & (view == v)]
        if len(mine) > STRAY:
            out[v] = np.partition(mine, -STRAY - 1)[-STRAY - 1]
    return out


def _ties(sample: Stored, pixels: Pixels, doubt: np.ndarray, part: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(P,) bool: doubtful pixels at which a ray within TIE of the centre does meet the stored part and depth."""
    chosen = np.flatnonzero(doubt)[:MOST_DOUBTS]
    around = (pixels.xy[chosen, None] + _RING).reshape(-1, 2)
    hits = sample.surface.cast(*sample.views.rays(np.repeat(pixels.view[chosen], len(_RING)), around))
    agrees = sample.topology.part[hits.triangle].reshape(len(chosen), len(_RING)) == part[chosen, None]
    far = np.where(hits.triangle >= 0, hits.depth, 0).reshape(len(chosen), len(_RING))
    nearest, farthest = np.where(agrees, far, np.inf).min(1), np.where(agrees, far, -np.inf).max(1)
    out = np.zeros(len(doubt), bool)
    out[chosen] = (nearest - TIE_DEPTH < depth[chosen]) & (depth[chosen] < farthest + TIE_DEPTH)
    return out


def _normal_angles(sample: Stored, pixels: Pixels, same: np.ndarray) -> np.ndarray:
    """(P,) degrees between stored normals and those of the meshes; NaN where they cannot be compared."""
    out, surface = np.full(len(same), np.nan), sample.surface
    chosen = np.flatnonzero(same)
    chosen = chosen[~surface.seam[pixels.hits.triangle[chosen]]]
    hits, side = pixels.hits[chosen], 1.0 if sample.meta["hand"] == "right" else -1.0
    world = np.einsum("pk,pkc->pc", hits.weights, surface.normals[sample.topology.faces[hits.triangle]]) * side
    local = np.einsum("pij,pj->pi", sample["world_to_cam"][pixels.view[chosen], :3, :3], world)
    stored = pixels.of(sample["normals"])[chosen].astype(float)
    across = np.linalg.norm(np.cross(stored, local), axis=1)
    out[chosen] = np.degrees(np.arctan2(across, (stored * local).sum(1)))
    return out


def _flow_figures(sample: Stored, pixels: Pixels, same: np.ndarray) -> Figures:
    count, chosen = len(sample["K"]), np.flatnonzero(same)
    off, hidden, cases = np.full(count, np.nan), np.full(count, np.nan), _validity(sample)
    for name, other in (("flow_forward", sample.after), ("flow_backward", sample.before)):
        if other is None:
            continue
        view, hits = pixels.view[chosen], pixels.hits[chosen]
        there, depth = sample.views.see(view, other.surface.points(hits))
        flow = pixels.of(sample[name])[chosen]
        distance = np.abs(flow - (there - pixels.xy[chosen])).max(1)
        off = np.fmax(off, _largest(distance, view, count))
        wrong = _wrongly_visible(sample, other, view, there, depth, pixels.of(sample[f"{name}_visible"])[chosen])
        hidden = np.fmax(hidden, _shares(wrong, view, count))
    return measured(flow=worst_view(off), flow_visible=worst_view(hidden), flow_valid=cases)


def _validity(sample: Stored) -> Figure:
    """How many things that flow says do not fit each other; where: the first of them."""
    cases, pixels = [], sample.pixels
    background = pixels.of(sample["parts"]) == 0
    for name, other in (("flow_forward", sample.after), ("flow_backward", sample.before)):
        valid = bool(sample[f"{name}_valid"])
        if other is not None and not valid:
            cases.append(f"{name}_valid is false though the neighbour is there")
        if valid and other is None and not sample.cut:
            cases.append(f"{name}_valid is true though there is no neighbour")
        if not valid and (sample[name].any() or sample[f"{name}_visible"].any()):
            cases.append(f"{name} is not valid, but not zero")
        given = pixels.of(sample[name]).any(1) | pixels.of(sample[f"{name}_visible"])
        if valid and (given & background).any():
            cases.append(f"{name} is not zero on the background")
    return Figure(float(len(cases)), cases[0] if cases else "")


def _wrongly_visible(
    sample: Stored, other: Stored, view: np.ndarray, there: np.ndarray, depth: np.ndarray, said: np.ndarray
) -> np.ndarray:
    """(P,) bool: where a point of the neighbour's mesh, at pixels `there`, is seen or hidden but `said` otherwise."""
    height, width = sample["parts"].shape[1:]
    inside = (there >= 0).all(1) & (there < (width, height)).all(1)
    border = (np.abs(there - (0, 0)) < TIE).any(1) | (np.abs(there - (width, height)) < TIE).any(1)
    first = np.full(len(view), np.inf)
    first[inside] = other.surface.cast(*sample.views.rays(view[inside], there[inside])).depth
    wrong = (inside & (first >= depth - HIDDEN)) != said
    wrong &= ~(inside & (depth - first > TOUCH) & (depth - first < HIDDEN))  # touching surfaces: either may be said
    chosen = np.flatnonzero(wrong & inside)[:MOST_DOUBTS]
    around = (there[chosen, None] + _RING).reshape(-1, 2)
    near = other.surface.cast(*sample.views.rays(np.repeat(view[chosen], len(_RING)), around)).depth
    seen = near.reshape(len(chosen), len(_RING)) >= depth[chosen, None] - HIDDEN
    wrong[chosen] &= ~(seen == said[chosen, None]).any(1)  # at the edge of what hides it, or grazing
    return wrong & ~border


def joint_figures(sample: Stored) -> Figures:
    """Figures of joint_visible and joint_in_frame."""
    count, joints = len(sample["K"]), sample["joints_world"].astype(float)
    view, joint = np.divmod(np.arange(count * len(joints)), len(joints))
    xy, depth = sample.views.see(view, joints[joint])
    before = depth > 0
    xy = np.where(before[:, None], xy, -1.0)
    seen = _joint_seen(sample.surface, sample.views, view, joint, xy, depth) & before
    wrong = (seen != sample["joint_visible"].ravel()) & before
    for shift in _RING:
        again = np.flatnonzero(wrong)
        near = _joint_seen(sample.surface, sample.views, view[again], joint[again], xy[again] + shift, depth[again])
        wrong[again] = (near & before[again]) != sample["joint_visible"].ravel()[again]
    height, width = sample["parts"].shape[1:]
    margin = np.minimum(xy, (width, height) - xy).min(1)  # px, above 0 inside
    outside = ((margin >= 0) & before) != sample["joint_in_frame"].ravel()
    return {
        "joint_visible": _joint_count(sample, wrong, view, joint),
        "joint_in_frame": _joint_count(sample, outside & (np.abs(margin) > TIE), view, joint),
    }


def _joint_seen(
    surface: Surface, views: Views, view: np.ndarray, joint: np.ndarray, xy: np.ndarray, depth: np.ndarray
) -> np.ndarray:
    """(P,) bool: the first surface on the ray to the joint adjoins it, or lies behind it."""
    hits: Hits = surface.cast(*views.rays(view, xy))
    return _ADJOINING[joint, surface.topology.part[hits.triangle]] | (hits.depth > depth)


def _joint_count(sample: Stored, wrong: np.ndarray, view: np.ndarray, joint: np.ndarray) -> Figure:
    if not wrong.any():
        return Figure(0.0)
    first = int(np.flatnonzero(wrong)[0])
    return Figure(float(wrong.sum()), f"{sample.attrs['joint_names'][joint[first]]} in view {view[first]}")
