"""Labels as pictures: one view in, one RGB image (H, W, 3) uint8 out, enlarged by a whole `scale`.

A label at pixel (u, v) is drawn at (u scale - 0.5, v scale - 0.5), since OpenCV counts from pixel centres.
"""

from __future__ import annotations

import cv2
import numpy as np

from rigging.joints import FINGER_NAMES, JOINT_NAMES, JOINT_PARENTS, PART_NAMES

SHIFT = 4  # fractional bits of OpenCV's coordinates
WHITE, INK, PAPER = (255, 255, 255), (38, 42, 51), (255, 255, 255)
FINGER_COLOURS = {
    "thumb": (232, 72, 85), "index": (249, 160, 63), "middle": (92, 184, 92), "ring": (46, 148, 222),
    "little": (150, 96, 210),
}  # fmt: skip
WRIST_COLOUR = (240, 240, 240)


def joint_colours() -> np.ndarray:
    """Colour (21, 3) uint8 of every joint, and of the bone that ends in it: one hue a finger."""
    return np.array([FINGER_COLOURS.get(name.split("_")[0], WRIST_COLOUR) for name in JOINT_NAMES], np.uint8)


def part_colours() -> np.ndarray:
    """Colour (19, 3) uint8 of every part: the finger's hue, lighter towards the palm; background white."""
    colours = {"background": WHITE, "forearm": (214, 203, 186), "palm": (238, 222, 196), "arm": (176, 176, 182)}
    steps = {name: i for finger in FINGER_NAMES for i, name in enumerate(p for p in PART_NAMES if p.startswith(finger))}
    out = []
    for name in PART_NAMES:
        colour = colours.get(name) or FINGER_COLOURS[name.split("_")[0]]
        lighter = {0: 0.5, 1: 0.25}.get(steps.get(name, 2), 0.0)
        out.append([round(c + (255 - c) * lighter) for c in colour])
    return np.array(out, np.uint8)


def enlarge(image: np.ndarray, scale: int, smooth: bool = True) -> np.ndarray:
    """`image` (H, W, 3) uint8 times a whole `scale`: cubic for photographs, in squares for labels."""
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)


def _fixed(point: np.ndarray, scale: float) -> tuple[int, int]:
    x, y = np.rint((np.asarray(point, float) * scale - 0.5) * 2**SHIFT).astype(int)
    return int(x), int(y)


def _line(image: np.ndarray, a: np.ndarray, b: np.ndarray, scale: float, colour: tuple, width: int) -> None:
    cv2.line(image, _fixed(a, scale), _fixed(b, scale), colour, width, cv2.LINE_AA, SHIFT)


def _disc(image: np.ndarray, at: np.ndarray, scale: float, radius: float, colour: tuple, width: int = -1) -> None:
    cv2.circle(image, _fixed(at, scale), round(radius * 2**SHIFT), colour, width, cv2.LINE_AA, SHIFT)


def draw_skeleton(
    picture: np.ndarray, joints_2d: np.ndarray, visible: np.ndarray, scale: int, weight: float = 1.0
) -> np.ndarray:
    """Bones and joints (21, 2) px over an enlarged picture; joints that are not `visible` (21,) are hollow."""
    out, colours = picture.copy(), joint_colours().tolist()
    unit = weight * min(picture.shape[:2]) / 256
    joints = np.clip(np.nan_to_num(joints_2d.astype(float)), -4096, 8192)
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            _line(out, joints[parent], joints[joint], scale, INK, max(1, round(3.6 * unit)))
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            _line(out, joints[parent], joints[joint], scale, tuple(colours[joint]), max(1, round(2.2 * unit)))
    for joint, seen in enumerate(visible):
        _disc(out, joints[joint], scale, 3.7 * unit, INK)
        _disc(out, joints[joint], scale, 3.0 * unit, tuple(colours[joint]))
        if not seen:
            _disc(out, joints[joint], scale, 2.0 * unit, WHITE)
    return out


def draw_mask(rgb: np.ndarray, mask: np.ndarray, scale: int, colour: tuple = (235, 64, 90)) -> np.ndarray:
    """The photograph, a pale grey outside the mask (H, W), with the mask's outline."""
    out = enlarge(rgb, scale)
    inside = enlarge(mask.astype(np.uint8), scale, smooth=False)
    pale = 150 + cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None] * 0.36
    out = np.where(inside[..., None] > 0, out, pale.astype(np.uint8))
    contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.ascontiguousarray(out), contours, -1, colour, scale, cv2.LINE_AA)


def draw_parts(parts: np.ndarray, scale: int) -> np.ndarray:
    """Parts (H, W) in their colours."""
    return enlarge(part_colours()[parts], scale, smooth=False)


def depth_range(depth: np.ndarray) -> tuple[float, float]:
    """Nearest and farthest depth, m, over all views (V, H, W); (0, 1) where there is none."""
    seen = depth[depth > 0]
    return (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)


def draw_depth(depth: np.ndarray, limits: tuple[float, float], scale: int) -> np.ndarray:
    """Depth (H, W) m in colour, near is bright; background white."""
    near, far = limits
    level = 1 - np.clip((depth - near) / max(far - near, 1e-6), 0, 1)
    return enlarge(np.where(depth[..., None] > 0, depth_colours(level), np.uint8(255)), scale, smooth=False)


def depth_colours(level: np.ndarray) -> np.ndarray:
    """Levels 0 to 1 of any shape (H, W) as colours (H, W, 3)."""
    return cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]


def draw_normals(normals: np.ndarray, scale: int) -> np.ndarray:
    """Normals (H, W, 3) as colour: red to the right, green upwards, blue towards the camera; background white."""
    colour = np.rint((normals * [1, -1, -1] * 0.5 + 0.5) * 255).clip(0, 255).astype(np.uint8)
    return enlarge(np.where((normals != 0).any(-1, keepdims=True), colour, np.uint8(255)), scale, smooth=False)


def flow_colours(flow: np.ndarray, largest: float) -> np.ndarray:
    """Flow (H, W, 2) px as colour: hue is the direction, white is rest, full colour is `largest` px."""
    angle = np.degrees(np.arctan2(flow[..., 1], flow[..., 0])) % 360
    strength = np.clip(np.linalg.norm(flow, axis=-1) / max(largest, 1e-6), 0, 1)
    hsv = np.stack([angle / 2, 255 * strength, np.full_like(strength, 255) - 40 * strength], -1)
    return cv2.cvtColor(np.rint(hsv).astype(np.uint8), cv2.COLOR_HSV2RGB)


def flow_limit(flow: np.ndarray) -> float:
    """Length, px, that is drawn in full colour: the 99th percentile of what moves in flow (..., 2) px of all views."""
    length = np.linalg.norm(flow, axis=-1)
    return float(np.percentile(length[length > 0], 99)) if (length > 0).any() else 1.0


def draw_flow(flow: np.ndarray, depth: np.ndarray, largest: float, scale: int) -> np.ndarray:
    """Flow (H, W, 2) px in colour, background (depth (H, W) 0) grey, enlarged by `scale`: uint8."""
    colour = flow_colours(flow, largest)
    return enlarge(np.where(depth[..., None] > 0, colour, np.uint8(236)), scale, smooth=False)


def draw_flow_arrows(
    rgb: np.ndarray, flow: np.ndarray, depth: np.ndarray, largest: float, scale: int, step: int = 10
) -> np.ndarray:
    """Arrows of true length every `step` px over the photograph, as saturated as their flow is long.

    rgb (H, W, 3) uint8, flow (H, W, 2) px, depth (H, W), 0 for the background; `largest` px has full colour.
    """
    out = (enlarge(rgb, scale) * 0.7).astype(np.uint8)
    colours = flow_colours(flow, largest * 0.6)
    for y in range(step // 2, len(rgb), step):
        for x in range(step // 2, rgb.shape[1], step):
            if depth[y, x] > 0:
                start = np.array([x + 0.5, y + 0.5])
                tip = start + flow[y, x]
                colour = tuple(int(c) for c in colours[y, x])
                _line(out, start, tip, scale, colour, max(1, scale // 2))
                _head(out, start, tip, scale, colour)
    return out


def _head(image: np.ndarray, start: np.ndarray, tip: np.ndarray, scale: int, colour: tuple) -> None:
    along = tip - start
    length = np.linalg.norm(along)
    if length < 0.75:
        return _disc(image, start, scale, 0.5 * scale, colour)
    along = along / length * min(2.4, 0.6 * length + 0.6)
    across = np.array([-along[1], along[0]]) * 0.55
    corners = [_fixed(point, scale) for point in (tip + 0.3 * along, tip - along + across, tip - along - across)]
    cv2.fillConvexPoly(image, np.array(corners, np.int32), colour, cv2.LINE_AA, SHIFT)
    return None


def draw_wireframe(
    rgb: np.ndarray, points: np.ndarray, z: np.ndarray, faces: np.ndarray, depth: np.ndarray, scale: int
) -> np.ndarray:
    """Edges of the mesh over the photograph: faces that look at the camera and are not behind the `depth` label.

    `points` (N, 2) px and `z` (N,) m are the projected vertices, `faces` (F, 3) counter-clockwise from outside.
    """
    a, b, c = (points[faces[:, k]] for k in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    x, y = np.floor(np.nan_to_num((a + b + c) / 3, nan=-1.0)).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < depth.shape[1]) & (y < depth.shape[0])
    label = depth[np.clip(y, 0, depth.shape[0] - 1), np.clip(x, 0, depth.shape[1] - 1)]
    shown = (turn < 0) & inside & (z[faces].mean(1) < np.where(label > 0, label, np.inf) + 0.004)
    corners = np.stack([a, b, c], 1)[shown] * scale - 0.5
    base = (enlarge(rgb, scale) * 0.8).astype(np.uint8)
    lines = cv2.polylines(
        base.copy(), list(np.rint(corners * 2**SHIFT).astype(np.int32)), True, (120, 225, 255), 1, cv2.LINE_AA, SHIFT
    )
    return cv2.addWeighted(lines, 0.6, base, 0.4, 0)
