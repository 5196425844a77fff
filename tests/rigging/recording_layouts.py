"""Writers that put hands on disk as devices, estimators and DexYCB do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def xyz(point: np.ndarray) -> dict[str, float]:
    return dict(zip("xyz", map(float, point)))


def leap_service_frame(hands: dict[str, np.ndarray], rate: float = 90.4) -> dict[str, Any]:
    """A frame of the WebSocket service: `hands` maps side to joints (21, 3) in metres."""
    told, pointables = [], []
    for number, (side, joints) in enumerate(hands.items(), 7):
        mm = (1e3 * joints).tolist()
        told.append({"id": number, "type": side, "wrist": mm[0], "confidence": 0.25 * (number - 5)})
        for finger in range(5):
            base = mm[1 + 4 * finger : 5 + 4 * finger]
            ends = dict(zip(("mcpPosition", "pipPosition", "dipPosition", "btipPosition"), base))
            pointables.append({"handId": number, "type": finger, **ends, "tipPosition": base[3]})
    return {"currentFrameRate": rate, "hands": told, "pointables": pointables}


def leapc_frame(hands: dict[str, np.ndarray]) -> dict[str, Any]:
    """A frame in LeapC's structures, millimetres as objects; a digit's bones meet, the thumb's first has no length."""
    told = []
    for side, joints in hands.items():
        mm = 1e3 * joints
        digits = []
        for finger in range(5):
            ends = mm[1 + 4 * finger : 5 + 4 * finger]
            starts = [ends[0] if finger == 0 else mm[0] + 0.3 * (ends[0] - mm[0]), *ends[:3]]
            digits.append({"bones": [{"prev_joint": xyz(a), "next_joint": xyz(b)} for a, b in zip(starts, ends)]})
        told.append({"type": {"left": 0, "right": 1}[side], "digits": digits, "arm": {"next_joint": xyz(mm[0])}})
    return {"hands": told}


def unity_frame(hands: dict[str, np.ndarray]) -> dict[str, Any]:
    """A frame of Unity's plugin: metres, z the other way, names in capitals."""
    told = []
    for side, joints in hands.items():
        joints = joints * (1, 1, -1)
        fingers = [
            {"bones": [{"NextJoint": xyz(end)} for end in joints[1 + 4 * finger : 5 + 4 * finger]]}
            for finger in range(5)
        ]
        told.append({"IsLeft": side == "left", "Fingers": fingers, "WristPosition": xyz(joints[0])})
    return {"Hands": told}


def mediapipe_task_result(hands: dict[str, np.ndarray]) -> dict[str, Any]:
    """A result of the hand landmarker task, as Python's dataclasses become JSON."""
    return {
        "handedness": [[{"score": 0.9, "category_name": side.capitalize()}] for side in hands],
        "hand_landmarks": [[{"x": 0.5, "y": 0.5, "z": 0.0}] * 21 for _ in hands],
        "hand_world_landmarks": [[xyz(joint) for joint in joints] for joints in hands.values()],
    }


def mediapipe_script_result(hands: dict[str, np.ndarray]) -> dict[str, Any]:
    """A result of the older JavaScript solution."""
    return {
        "multiHandedness": [{"index": 0, "score": 0.9, "label": side.capitalize()} for side in hands],
        "multiHandWorldLandmarks": [[xyz(joint) for joint in joints] for joints in hands.values()],
    }


def mediapipe_proto_result(hands: dict[str, np.ndarray]) -> dict[str, Any]:
    """A result whose messages went through MessageToDict."""
    return {
        "multi_handedness": [{"classification": [{"score": 0.9, "label": side.capitalize()}]} for side in hands],
        "multi_hand_world_landmarks": [{"landmark": [xyz(j) for j in joints]} for joints in hands.values()],
    }


def write_dexycb(
    root: Path, joints: np.ndarray, side: str = "right", subject: str = "20200709-subject-01", camera: str = "8400"
) -> Path:
    """A sequence seen by one camera: joints (T, 21, 3) metres, NaN where there is no hand; returns its folder."""
    folder = root / subject / "20200709_141754" / camera
    folder.mkdir(parents=True)
    (folder.parent / "meta.yml").write_text(f"serials:\n- '{camera}'\nmano_sides:\n- {side}\n")
    for number, frame in enumerate(joints):
        points = np.where(np.isfinite(frame), frame, -1).astype(np.float32)[None]
        np.savez(folder / f"labels_{number:06d}.npz", seg=np.zeros((2, 2), np.uint8), joint_3d=points)
    return folder
