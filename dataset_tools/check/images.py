"""The photographs: exposed, moving, and of this hand from this camera. Statistics, as no label says what is right.

Three things are looked at, and a single view is judged by all of them together: the hand's outline is where the
picture changes most (against the same outline shifted), its skin has the colours that the other views see on the same
points of the mesh, and the neighbour's picture, warped by the flow, is this one.
"""

from __future__ import annotations

import cv2
import numpy as np

from rigging.joints import ARM_PART

from .figures import Check, Figure, Figures, measured, worst_view
from .stored import Pixels, Stored, beside_edges, scattered

CHECKS = (
    Check("dark", "share of the hand that is black", 0.8, ""),
    Check("blown", "share of the hand that is blown out", 0.8, ""),
    Check("frozen", "difference of one view's picture from another's or from the neighbour's", 0.1, "levels", True),
    Check("alpha", "error of alpha against the outline, relative to that of an outline shifted by 1 px", 0.95, ""),
    Check(
        "alpha_inside", "pixels away from the outline where alpha denies the label, as a share of the hand's", 0.01, ""
    ),
    Check(
        "silhouette", "how much more (log) the pictures change at the outline than beside it, all views", 0.12, "", True
    ),
    Check("warp", "difference of the neighbour's pictures warped by flow, relative to unwarped", 0.93, ""),
    Check("picture", "misfit of one view's picture with the outline, the other views and the neighbour", 3.5, "-fold"),
)
BLACK, BLOWN = 2, 253  # levels of the brightest and of the darkest channel
ROUND = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)
SHIFTS = np.concatenate([5 * ROUND, 8 * ROUND]).round().astype(int)  # (16, 2) px
AROUND = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y])
GRADIENT = 8.0  # levels per px, softened: gradients far above count little more
FACING = 0.25  # cosine: surface that a camera sees more obliquely is not compared in colour
SAME_POINT = 1.5e-3  # m: another view sees the same point of the surface if its depth says so to this distance
FEWEST = 12  # pixels that a statistic takes
MANY, SPREAD = 4, 0.25  # views whose mean gain is steady, and the standard deviation of a view's
LEAST_MOTION = 0.7  # px, mean flow of the hand below which warping shows nothing
OUTLINE_PIXELS = 500  # of a view
OUTLINE_WEIGHT = 3.0  # of the outline, in the misfit of a view
DOUBTFUL = 1.0  # -fold: misfit of a view above which it is asked whether the mirrored picture would fit better


def image_figures(sample: Stored) -> Figures:
    """Figures of all CHECKS of one sample."""
    outlines = [_outline(sample, view) for view in range(len(sample["K"]))]
    gains = np.array([_gain(rgb, outline) for rgb, outline in zip(sample["rgb"], outlines)])
    skin = _skin(sample)
    colours, warped = colour_errors(sample, *skin), warp_errors(sample, *skin)
    return exposure_figures(sample) | measured(
        alpha=worst_view([_alpha_shift(*pair) for pair in zip(sample["alpha"], sample["parts"] > 0, outlines)]),
        alpha_inside=worst_view(_alpha_inside(sample)),
        silhouette=None if np.isnan(gains).all() else Figure(float(np.nanmean(gains)) + _few(gains)),
        warp=_warp(warped),
        picture=worst_view(_mirrored(sample, outlines, gains, _misfit(gains, colours, warped))),
    )


def _few(gains: np.ndarray) -> float:
    """How much lower the mean of fewer than MANY views (V,) may be in good data: by two standard errors more."""
    seen = min(int(np.isfinite(gains).sum()), MANY)
    return 2 * SPREAD * (seen**-0.5 - MANY**-0.5)


def exposure_figures(sample: Stored) -> Figures:
    """Black hands, blown pictures, and pictures that stand still, from the chosen pixels."""
    pixels, count = sample.pixels, len(sample["K"])
    hand = pixels[np.flatnonzero(pixels.of(sample["parts"]))]
    colour, view = hand.of(sample["rgb"]), hand.view
    return measured(
        dark=worst_view(_means(colour.max(1) <= BLACK, view, count)),
        blown=worst_view(_means(colour.min(1) >= BLOWN, view, count)),
        frozen=_stillness(sample),
    )


def _stillness(sample: Stored) -> Figure:
    """The smallest mean difference of two views' pictures, or of a view's in this sample and its neighbours."""
    small = [thumbnails(sample)] + [thumbnails(other) for other in (sample.before, sample.after) if other is not None]
    apart = np.abs(small[0][:, None] - small[0][None]).mean((2, 3, 4))
    np.fill_diagonal(apart, np.inf)
    found = [(apart.min(), f"views {apart.argmin() // len(apart)} and {apart.argmin() % len(apart)}")]
    for other in small[1:]:
        still = np.abs(small[0] - other).mean((1, 2, 3))
        found.append((still.min() if len(still) else np.inf, f"view {still.argmin()}, against the neighbour's"))
    value, where = min(found)
    return Figure(float(min(value, 255.0)), where)


def thumbnails(sample: Stored) -> np.ndarray:
    """(V, 32, 32, 3) float32 levels."""
    return np.stack([cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA) for rgb in sample["rgb"]]).astype(
        np.float32
    )


def _outline(sample: Stored, view: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns (P,) of pixels beside the outline of hand and arm in a view, and unit normals (P, 2) to it."""
    shown = sample["parts"][view] > 0
    edge = beside_edges(shown[None])[0]
    edge[:2] = edge[-2:] = edge[:, :2] = edge[:, -2:] = False
    found = np.flatnonzero(edge)
    rows, columns = np.divmod(found[scattered(len(found), OUTLINE_PIXELS)], edge.shape[1])
    soft = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), 1.0)
    at = rows, columns
    normal = np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0)[at], cv2.Sobel(soft, cv2.CV_32F, 0, 1)[at]], 1)
    return rows, columns, normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9)


def _gain(rgb: np.ndarray, outline: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """How much more (log) a picture changes across its outline than across the best of the SHIFTS of it."""
    rows, columns, normal = outline
    if len(rows) < FEWEST:
        return np.nan
    smooth, last = cv2.GaussianBlur(rgb, (0, 0), 0.7), np.array(rgb.shape[:2]) - 1
    across, down = cv2.Sobel(smooth, cv2.CV_16S, 1, 0), cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
    places = [(np.clip(rows + dy, 0, last[0]), np.clip(columns + dx, 0, last[1])) for dx, dy in ((0, 0), *SHIFTS)]
    steps = [np.abs(across[at] * normal[:, :1] + down[at] * normal[:, 1:]).max(1) for at in places]
    means = np.log1p(np.stack(steps) / GRADIENT).mean(1)
    return float(means[0] - means[1:].max())


def _alpha_shift(alpha: np.ndarray, shown: np.ndarray, outline: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """Error of alpha against what is shown beside the outline, relative to the best of the shifts by one pixel."""
    rows, columns, _ = outline
    if len(rows) < FEWEST:
        return np.nan
    wanted = shown[rows, columns]
    off = [np.abs(alpha[rows + dy, columns + dx] / 255 - wanted).mean() for dx, dy in ((0, 0), *AROUND)]
    return float(off[0] / max(min(off[1:]), 1e-9))


def _alpha_inside(sample: Stored) -> np.ndarray:
    """(V,) share of the chosen pixels away from edges where alpha and parts differ in what is background."""
    pixels, count = sample.pixels, len(sample["K"])
    inner, shown = ~pixels.edge, pixels.of(sample["parts"]) > 0
    wrong = inner & ((pixels.of(sample["alpha"]) > 127) != shown)
    area = np.bincount(pixels.view[shown], minlength=count)
    return np.bincount(pixels.view[wrong], minlength=count) / np.where(area > 0, area, np.nan)


def _skin(sample: Stored) -> tuple[Pixels, np.ndarray, np.ndarray]:
    """Chosen pixels that show the hand away from edges, their points (P, 3) m and outward normals (P, 3)."""
    pixels, parts = sample.pixels, sample.topology.part
    part = pixels.of(sample["parts"])
    on = (part > 0) & (part == parts[pixels.hits.triangle]) & (part != ARM_PART) & ~pixels.edge
    chosen = pixels[np.flatnonzero(on)]
    side = 1.0 if sample.meta["hand"] == "right" else -1.0
    corners = sample.surface.normals[sample.topology.faces[chosen.hits.triangle]]
    return chosen, sample.surface.points(chosen.hits), side * np.einsum("pk,pkc->pc", chosen.hits.weights, corners)


def colour_errors(sample: Stored, skin: Pixels, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(V,) levels: mean difference of each view's skin from the mean colour that other views see on the same points."""
    count, size = len(sample["K"]), np.array(sample["parts"].shape[:0:-1])
    turn, shift = sample["world_to_cam"][:, :3, :3], sample["world_to_cam"][:, :3, 3]
    total, weight = np.zeros((len(points), 3)), np.zeros(len(points))
    for other in range(count):
        away = np.flatnonzero(skin.view != other)
        local = points[away] @ turn[other].T + shift[other]
        facing = -(local * (normals[away] @ turn[other].T)).sum(1) / np.linalg.norm(local, axis=1)
        image, _ = sample.views.see(np.full(len(away), other), points[away])
        pixel = np.floor(np.nan_to_num(image, nan=-9)).astype(int)
        seen = (facing > FACING) & (pixel >= 0).all(1) & (pixel < size).all(1)
        away, local, facing, (x, y) = away[seen], local[seen], facing[seen], pixel[seen].T
        same = np.abs(sample["depth"][other, y, x] - local[:, 2]) < SAME_POINT
        away, facing = away[same], facing[same]
        total[away] += sample["rgb"][other, y[same], x[same]] * facing[:, None]
        weight[away] += facing
    known = np.flatnonzero(weight > 0)
    off = np.abs(skin.of(sample["rgb"])[known] - total[known] / weight[known, None]).mean(1)
    return _means(off, skin.view[known], count)


def _means(values: np.ndarray, view: np.ndarray, count: int) -> np.ndarray:
    """(V,) mean of values (P,) in views (P,); NaN for fewer than FEWEST."""
    many = np.bincount(view, minlength=count)
    return np.bincount(view, values, count) / np.where(many >= FEWEST, many, np.nan)


def warp_errors(sample: Stored, skin: Pixels, *_: np.ndarray) -> np.ndarray | None:
    """(V, 3): mean difference of the skin from the neighbour's picture warped by flow, and unwarped; flow in px."""
    name, other = ("flow_forward", sample.after) if sample.after else ("flow_backward", sample.before)
    if other is None:
        return None
    visible, flow, count = skin.of(sample[f"{name}_visible"]), skin.of(sample[name]), len(sample["K"])
    own = skin.of(sample["rgb"]).astype(np.float32)
    moved = bilinear(other["rgb"], skin.view, skin.xy - 0.5 + flow)
    columns = (np.abs(own - moved).mean(1), np.abs(own - skin.of(other["rgb"])).mean(1), np.linalg.norm(flow, axis=1))
    return np.stack([_means(values[visible], skin.view[visible], count) for values in columns], 1)


def bilinear(images: np.ndarray, view: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Colours (P, 3) of images (V, H, W, 3) at places (P, 2), counted from the centre of the top-left pixel."""
    last = np.array(images.shape[2:0:-1]) - 1
    place = np.clip(xy, 0, last - 1e-3)
    x, y = place.astype(int).T
    a, b = (place - np.floor(place)).astype(np.float32).T[..., None]
    upper = images[view, y, x] * (1 - a) + images[view, y, x + 1] * a
    return upper * (1 - b) + (images[view, y + 1, x] * (1 - a) + images[view, y + 1, x + 1] * a) * b


def _warp(errors: np.ndarray | None) -> Figure | None:
    """Difference after warping relative to that before, over all views of a sample that moved enough; of MANY views."""
    if errors is None or np.isfinite(errors[:, 0]).sum() < MANY or not np.nanmean(errors[:, 2]) > LEAST_MOTION:
        return None
    warped, unwarped, _ = np.nanmean(errors, axis=0)
    return Figure(float(warped / max(unwarped, 1e-9)))


def _misfit(gains: np.ndarray, colours: np.ndarray, warped: np.ndarray | None) -> np.ndarray:
    """(V,) how badly each view's picture fits, errors relative to the sample's median, over e to the outline's gain."""
    if np.isnan(colours).all():
        return np.full(len(gains), np.nan)
    colour = np.log(colours / np.nanmedian(colours))
    other = colour
    if warped is not None and not np.isnan(warped[:, 0]).all():
        other = np.log(warped[:, 0] / np.nanmedian(warped[:, 0]))
        other = np.where(np.isnan(other), colour, other)
    return np.exp(colour + other - OUTLINE_WEIGHT * gains)


def _mirrored(
    sample: Stored, outlines: list[tuple[np.ndarray, np.ndarray, np.ndarray]], gains: np.ndarray, misfit: np.ndarray
) -> np.ndarray:
    """(V,) misfit of each view; of a doubtful one many times more if the outline fits its mirrored picture better."""
    out = misfit.copy()
    for view in np.flatnonzero(misfit > DOUBTFUL):
        better = _gain(np.ascontiguousarray(sample["rgb"][view][:, ::-1]), outlines[view]) - gains[view]
        out[view] *= np.exp(OUTLINE_WEIGHT * max(better, 0.0))
    return out
