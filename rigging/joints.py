"""Joints, bones and parts of the hand: names, order, parents, and the permutations from other data sets.

The one order used everywhere is that of FreiHAND and of the MVHM paper (Figure 2): wrist, then thumb, index,
middle, ring and little finger, each from the palm outwards.
"""

from __future__ import annotations

FINGER_NAMES = ("thumb", "index", "middle", "ring", "little")

JOINT_NAMES = (
    "wrist",
    "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    "index_mcp", "index_pip", "index_dip", "index_tip",
    "middle_mcp", "middle_pip", "middle_dip", "middle_tip",
    "ring_mcp", "ring_pip", "ring_dip", "ring_tip",
    "little_mcp", "little_pip", "little_dip", "little_tip",
)  # fmt: skip

# Bone i ends in joint i and starts in joint JOINT_PARENTS[i]; bone 0 is the forearm, which ends in the wrist.
JOINT_PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)

BONE_NAMES = (
    "forearm",
    "thumb_carpal", "thumb_metacarpal", "thumb_proximal", "thumb_distal",
    "index_metacarpal", "index_proximal", "index_middle", "index_distal",
    "middle_metacarpal", "middle_proximal", "middle_middle", "middle_distal",
    "ring_metacarpal", "ring_proximal", "ring_middle", "ring_distal",
    "little_metacarpal", "little_proximal", "little_middle", "little_distal",
)  # fmt: skip

PALM_BONES = (1, 5, 9, 13, 17)
TIP_JOINTS = (4, 8, 12, 16, 20)

# Values of the label `parts`; a face of the hand takes the part of the bone that moves it most.
PART_NAMES = (
    "background", "forearm", "palm",
    "thumb_metacarpal", "thumb_proximal", "thumb_distal",
    "index_proximal", "index_middle", "index_distal",
    "middle_proximal", "middle_middle", "middle_distal",
    "ring_proximal", "ring_middle", "ring_distal",
    "little_proximal", "little_middle", "little_distal",
    "arm",
)  # fmt: skip

BONE_PARTS = (1, 2, 3, 4, 5, 2, 6, 7, 8, 2, 9, 10, 11, 2, 12, 13, 14, 2, 15, 16, 17)
ARM_PART = 18


def adjoining_parts(joint: int) -> frozenset[int]:
    """Parts that meet at `joint`: those of the bone that ends in it and of the bones that start in it."""
    bones = [joint] + [child for child, parent in enumerate(JOINT_PARENTS) if parent == joint]
    return frozenset(BONE_PARTS[bone] for bone in bones)
