"""Draw docs/images/labels.png: the labels of docs/labels.md's example, a mesh that is no hand.

Run from the root of the repository: python -m docs.figures.labels
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from blender_scripts.labels import label_views
from dataset_tools.pictures import canvas, drawing
from rigging.geometry.projection import project

PAGE = Path(__file__).parents[1] / "labels.md"
OUT = PAGE.with_name("images") / "labels.png"
PAPER, OTHER, LOST = 255, 228, 160  # greys: nothing, what hides the mesh, where its flow is no longer seen


def example() -> dict:
    """The names that the page's example leaves: its mesh, its cameras, and `labels`."""
    names: dict = {}
    code = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(code, str(PAGE), "exec"), names)
    return names


def draw_joints(picture: np.ndarray, pixels: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Joints at pixels (J, 2): full discs where visible, rings where hidden."""
    picture = np.ascontiguousarray(picture)
    for (x, y), seen in zip(np.rint(pixels).astype(int), visible):
        cv2.circle(picture, (int(x), int(y)), 6, (255, 255, 255), -1 if seen else 3, cv2.LINE_AA)
        cv2.circle(picture, (int(x), int(y)), 5, (20, 20, 20), -1 if seen else 2, cv2.LINE_AA)
    return picture


def paper(names: dict, view: int) -> np.ndarray:
    """What lies behind the labels of a view, (H, W, 3) uint8: the ring that hides the labelled one, in grey."""
    part, no_joints = np.ones(len(names["other_faces"]), int), np.zeros((0, 3))
    camera = names["K"][view : view + 1], names["cameras"][view][None]
    other = label_views(names["other"], names["other_faces"], part, no_joints, *camera, (256, 256))
    return np.where(other["mask"][0, ..., None], OTHER, PAPER).repeat(3, -1).astype(np.uint8)


def draw_view(names: dict, view: int) -> list[np.ndarray]:
    """Pictures of one view: parts and joints, depth, normals, flow, and where flow is seen."""
    labels = {name: values[view] for name, values in names["labels"].items() if values.ndim}
    pixels = project(names["joints"], names["K"], np.stack(names["cameras"]))[view]
    depth, flow, seen = labels["depth"], labels["flow_forward"], labels["mask"]
    moved = drawing.draw_flow(flow, depth, drawing.flow_limit(flow), 1)
    pictures = [
        drawing.draw_parts(labels["parts"], 1),
        drawing.draw_depth(depth, drawing.depth_range(depth), 1),
        drawing.draw_normals(labels["normals"], 1),
        moved,
        np.where(labels["flow_forward_visible"][..., None], moved, LOST),
    ]
    behind = paper(names, view)
    pictures = [np.where(seen[..., None], picture, behind).astype(np.uint8) for picture in pictures]
    return [draw_joints(pictures[0], pixels, labels["joint_visible"]), *pictures[1:]]


def main() -> None:
    """Draw the page's picture."""
    names = example()
    titles = ("parts, joints", "depth", "normals", "flow", "flow that stays seen")
    pictures = [canvas.titled(*item) for view in range(2) for item in zip(draw_view(names, view), titles)]
    canvas.save(OUT, canvas.grid(pictures, len(titles)))


if __name__ == "__main__":
    main()
