"""One small posed hand with its arm, and cameras that see it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blender_scripts.looks.look import Cloth, Lamp, Look
from blender_scripts.render_sample import SampleSpec
from blender_scripts.settings import RenderSettings
from rigging.fingers.kinematics import ANGLES, bone_frames, bone_rotations, place_joints, skeleton
from rigging.geometry.cameras import Cameras
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand
from rigging.hand.skinning import linear_blend
from rigging.skin.bake import SkinMaps
from rigging.spin.posed import PosedHand, mirror_posed

SIZE = 96
SETTINGS = RenderSettings(width=SIZE, height=SIZE, samples_per_pixel=2, threads=2, crosscheck=1.0)
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # fingers up, the back of the hand towards -y
LOOK = Look(
    hdri="city", rotation=1.0, hdri_strength=1.0, lamps=(Lamp("area", (0.5, -0.8, 0.6), 4000.0, 30.0, 0.4),),
    exposure_ev=0.0, white_balance=0.5, background="hdri", background_seed=3, background_blur=0.5, lens_blur=0.3,
    noise=0.0, arm_style="bare",
    cloth=Cloth("striped", ((0.2, 0.3, 0.5), (0.8, 0.8, 0.7), (0.5, 0.1, 0.1)), 1.0, 5),
)  # fmt: skip


class Workshop:
    """Makes the parts of samples."""

    def __init__(self):
        self.asset = load_asset()
        self.arm = arm_topology(self.asset)
        self.rest = RestHand(self.asset.template, self.asset.joints)
        self.skin = self.plain_skin((190, 140, 115))

    def pose(self, bend: float, arm_style: str = "bare", left: bool = False) -> PosedHand:
        """All fingers bent by `bend` radians at each joint."""
        angles = np.zeros(ANGLES)
        angles[5:21] = np.tile([bend, 0, bend, 0.6 * bend], 4)
        model = skeleton(self.asset)
        frames = bone_frames(model, angles)
        joints, rotations = place_joints(model, frames), bone_rotations(model, frames)
        vertices = linear_blend(self.rest, self.asset, rotations, joints)
        arm = build_arm(self.asset, self.rest, arm_style, np.random.default_rng(0))
        posed = PosedHand(vertices, joints, arm, rotations)
        centre = np.array([0.0, 0.05, 0.0]) @ UPRIGHT.T
        return (mirror_posed(posed) if left else posed).placed(UPRIGHT, -centre)

    def cameras(self, views: int = 2, focal: float = 190.0) -> Cameras:
        """Cameras around the hand, with a principal point off the centre."""
        world_to_cam = np.tile(np.eye(4), (views, 1, 1))
        for matrix, angle in zip(world_to_cam, np.arange(views) * 2 * np.pi / views + 0.4):
            forward = np.array([np.cos(angle), np.sin(angle), 0.15])
            forward /= np.linalg.norm(forward)
            right = np.cross(forward, [0, 0, 1])
            right /= np.linalg.norm(right)
            matrix[:3, :3] = [right, np.cross(forward, right), forward]
            matrix[2, 3] = 0.5
        K = np.array([[focal, 0, SIZE / 2 + 5.3], [0, focal, SIZE / 2 - 3.7], [0, 0, 1]])
        return Cameras(np.tile(K, (views, 1, 1)), world_to_cam, SIZE)

    def plain_skin(self, colour: tuple[int, int, int]) -> SkinMaps:
        height = np.random.default_rng(0).integers(31000, 34000, (64, 64)).astype(np.uint16)
        return SkinMaps(np.full((64, 64, 3), colour, np.uint8), height, np.full((64, 64), 115, np.uint8))

    def spec(self, bend=0.4, neighbour=0.5, seed=11, left=False, views=2, skin=None, **look) -> SampleSpec:
        style = look.get("arm_style", LOOK.arm_style)
        return SampleSpec(
            posed=self.pose(bend, style, left), previous=None, following=self.pose(neighbour, style, left),
            cameras=self.cameras(views), skin=skin or self.skin, look=dataclasses.replace(LOOK, **look), seed=seed,
            metadata={"sample": seed}, left=left,
        )  # fmt: skip

    def vertices(self, posed: PosedHand) -> np.ndarray:
        return np.concatenate([posed.vertices, posed.arm_vertices])


@pytest.fixture(scope="session")
def workshop():
    return Workshop()


@pytest.fixture(scope="module")
def studio(workshop, tmp_path_factory):
    """A real Blender scene: each module makes it anew, as a process can hold only one."""
    import cv2

    from blender_scripts.cycles.scene import Studio
    from blender_scripts.looks.backgrounds import PhotoFolder

    photos = tmp_path_factory.mktemp("photos")
    for index in range(3):
        picture = np.random.default_rng(index).integers(0, 255, (150, 200, 3)).astype(np.uint8)
        cv2.imwrite(str(photos / f"{index}.png"), picture)
    return Studio(workshop.asset, *workshop.arm, SETTINGS, photos=PhotoFolder.open(photos))


@pytest.fixture
def settings():
    return SETTINGS
