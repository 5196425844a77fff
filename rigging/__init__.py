"""From 3D joints to a posed hand: poses, hands, spin matching and the camera ring, with numpy and scipy alone.

The names in `__all__` are the package's face; each is imported from its room when it is first asked for.
"""

from importlib import import_module

_ROOMS = {
    "geometry.cameras": ("CameraSettings", "Cameras", "palm_frame", "ring"),
    "hand.asset": ("HandAsset", "load_asset"),
    "hand.bones": ("bone_lengths", "bone_vectors"),
    "hand.shape": ("RestHand", "Subject", "fit_subject", "mean_subject", "rest_hand", "sample_subject"),
    "poses.clip": ("PoseClip", "load_clip", "save_clip"),
    "poses.gate.gate": ("gate_source",),
    "poses.registry": ("open_source",),
    "posing.export": ("export_clip",),
    "posing.pose": ("PosedClip", "clip_subject", "pose_clip", "pose_rig"),
    "posing.rig": ("Rig", "load_rig", "subject_rig"),
    "spin.match": ("Match", "match"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}
__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    """The name of the face, imported now (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'rigging' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
