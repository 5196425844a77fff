"""One persistent Cycles scene, edited in place: body, skin, sleeve, light and camera.

Blender's world is the sample's world (+z up, metres); only the camera's axes differ (`camera_matrix`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rigging.hand.asset import HandAsset
from rigging.skin.appearance import SKIN_APPEARANCE
from rigging.skin.bake import SkinMaps

from ..blender import choose_device, import_bpy, return_large_blocks
from ..labels.hand import surface_normals
from ..looks.backgrounds import PhotoFolder
from ..looks.cloth import paint_cloth
from ..looks.hdri import HdriLibrary, hdri_files
from ..looks.look import LAMP_KINDS, Cloth, Lamp
from ..settings import RenderSettings
from .bodies import Bodies
from .denoise import Denoiser
from .framing import CLIP_START, SENSOR, Box, camera_matrix, set_border
from .guides import Guides, guide_body, make_guides, surface_maps
from .lamps import new_lamp, place_lamp
from .materials import CLOTH_HEIGHT, SwappedImage, cloth_material, set_subsurface, skin_material
from .passes import render_passes
from .versions import CYCLES, RENDER, WORLD, pin

if TYPE_CHECKING:
    import bpy

HAND_INDEX, ARM_INDEX = 1, 2  # material indices of the cross-check's pass
_MOST_LAMPS = 4  # of each kind


class Studio:
    """The scene. Objects, images and lamps are made once; a sample only changes their values."""

    def __init__(
        self,
        asset: HandAsset,
        arm_faces: np.ndarray,
        arm_uv: np.ndarray,
        settings: RenderSettings,
        hdris: HdriLibrary | None = None,
        photos: PhotoFolder | None = None,
    ) -> None:
        """Build the scene; there can be only one in a process.

        Args:
            arm_faces: (Fa, 3) and arm_uv: (Fa, 3, 2) the arm's topology, the same for all styles.
            hdris: panoramas to light with, Blender's own if None. photos: for the background `folder`.
        """
        self.bodies = Bodies(asset, arm_faces, arm_uv)
        self.hdris = hdris or HdriLibrary(hdri_files())
        self.photos = photos
        self._shown: dict[str, object] = {}  # what the swapped images hold
        self._maps: dict[str, np.ndarray] = {}  # "skin" and "cloth" for the guides
        self._denoiser: Denoiser | None = None
        return_large_blocks()
        bpy = import_bpy()
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self._make_materials()
        self.settings: RenderSettings | None = None
        self.use(settings)
        self._make_world()
        self._lamps = {
            kind: [self._add(f"{kind}_{index}", new_lamp(kind)) for index in range(_MOST_LAMPS)] for kind in LAMP_KINDS
        }
        self._body = self._add("body", bpy.data.meshes.new("empty"))
        self.scene.camera = self._add("camera", bpy.data.cameras.new("camera"))

    def use(self, settings: RenderSettings) -> None:
        """Take over `settings` if they differ from those in use."""
        if settings != self.settings:
            self.settings = settings
            set_quality(self.scene, settings)
            for material in self._materials[:2]:
                set_subsurface(material, settings.subsurface)
            if self._denoiser is not None:
                self._denoiser.close()
            self._denoiser = None if settings.denoiser_quality == "NONE" else Denoiser(settings.threads)

    def set_body(self, arm_style: str, left: bool, vertices: np.ndarray) -> None:
        """Pose the body: vertices (N, 3) world, metres, the hand's and then the arm's."""
        surface, mesh = self.bodies.surface(arm_style, left), self.bodies.mesh(arm_style, left, self._materials)
        normals = surface_normals(vertices, surface)
        mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
        mesh.normals_split_custom_set_from_vertices(normals.astype(np.float32))
        mesh.update()
        self._body.data = mesh
        skin, uv = self.bodies.skin_faces(arm_style), self.bodies.uv(arm_style, left)
        self._guide_body = guide_body(vertices, surface.faces, skin, normals, uv)

    def set_skin(self, skin: SkinMaps) -> None:
        """Skin of hand and bare arm. Nothing is done if it is the one already shown."""
        if self._shown.get("skin") is skin:
            return
        self._shown["skin"] = skin
        pixels = np.empty((*skin.albedo.shape[:2], 4), np.float32)
        np.divide(skin.albedo, np.float32(255), out=pixels[..., :3])
        np.divide(skin.roughness, np.float32(255), out=pixels[..., 3])
        self._skin_albedo.replace(pixels)
        self._skin_height.replace(_grey(skin.height / np.float32(65535)))
        relief = np.float32(SKIN_APPEARANCE.bump_distance_m * SKIN_APPEARANCE.bump_strength / 65535)
        self._maps["skin"] = surface_maps(skin.albedo, skin.height, relief)

    def set_cloth(self, cloth: Cloth) -> None:
        """Cloth of the sleeve."""
        if self._shown.get("cloth") == cloth:
            return
        self._shown["cloth"] = cloth
        albedo, height = paint_cloth(cloth)
        self._cloth_albedo.replace(np.dstack([albedo, np.ones_like(height)]))
        self._cloth_height.replace(_grey(height))
        self._maps["cloth"] = surface_maps(albedo, height, np.float32(CLOTH_HEIGHT))

    def set_light(self, panorama: np.ndarray, lamps: tuple[Lamp, ...]) -> None:
        """Light of the world (64, 128, 3) float32 linear, strength and rotation included, and the lamps."""
        if self._shown.get("lamps") == lamps and np.array_equal(self._shown.get("light"), panorama):
            return
        self._shown |= {"lamps": lamps, "light": panorama}
        self._world.replace(np.dstack([panorama, np.ones(panorama.shape[:2], np.float32)]))
        for kind, pool in self._lamps.items():
            wanted = [lamp for lamp in lamps if lamp.kind == kind]
            if len(wanted) > len(pool):
                raise ValueError(f"{len(wanted)} lamps of kind {kind}, at most {len(pool)} are possible")
            for index, item in enumerate(pool):
                if index < len(wanted):
                    place_lamp(item, wanted[index])
                else:  # dark, not hidden: Cycles numbers lamps as they appear, and its noise would follow that order
                    item.data.energy = 0.0

    def set_camera(
        self, K: np.ndarray, world_to_cam: np.ndarray, box: Box | None = None, nearest: float = CLIP_START
    ) -> None:
        """Camera with K (3, 3) in pixels and world_to_cam (4, 4), OpenCV; `box` limits the render to a part.

        It sees nothing nearer than `nearest` metres.
        """
        width, height = self.settings.width, self.settings.height
        if abs(K[0, 0] - K[1, 1]) > 1e-6 * K[0, 0] or abs(K[0, 1]) > 1e-9:
            raise ValueError(f"K has focal lengths {K[0, 0]}, {K[1, 1]} and skew {K[0, 1]}; Cycles needs square pixels")
        data = self.scene.camera.data
        data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR
        data.clip_start = nearest
        data.lens = K[0, 0] * SENSOR / width
        data.shift_x = (width / 2 - K[0, 2]) / width
        data.shift_y = (K[1, 2] - height / 2) / width
        self.scene.camera.matrix_world = camera_matrix(world_to_cam).T.tolist()
        set_border(self.scene.render, box or Box(0, 0, width, height), width, height)

    def render(self, seed: int) -> dict[str, np.ndarray]:
        """Render the box, noise and all. "Combined" (h, w, 4) float32 linear, premultiplied with its alpha; "Depth"
        and "IndexMA" (h, w, 1) of the first sample at each pixel's centre: planar z in metres, HAND_INDEX or ARM_INDEX.
        """
        if self.scene.cycles.seed != seed:
            self.scene.cycles.seed = seed
            self.scene.update_tag()  # persistent data would keep the old seed
        return render_passes(self.scene, ("Combined", "Depth", "IndexMA"))

    def guides(self, K: np.ndarray, world_to_cam: np.ndarray, box: Box) -> Guides | None:
        """The denoiser's guides for a view of what the scene shows, within `box`; None without denoiser.

        K (3, 3) px, world_to_cam (4, 4). May run beside a render.
        """
        if self._denoiser is None:
            return None
        maps = self._maps["skin"], self._maps.get("cloth", self._maps["skin"])  # bare arms have no cloth
        K = K - np.array([[0, 0, box.left], [0, 0, box.top], [0, 0, 0]])
        return make_guides(self._guide_body, *maps, K, world_to_cam, box.right - box.left, box.bottom - box.top)

    def denoise(self, combined: np.ndarray, guides: Guides | None) -> np.ndarray:
        """A render (h, w, 4) without its noise, premultiplied with the guides' exact coverage as its alpha."""
        if guides is None:
            return combined
        colour = self._denoiser(combined[..., :3], guides.albedo, guides.normals, self.settings.denoiser_quality)
        return np.dstack([colour, guides.coverage])

    def _make_materials(self) -> None:
        hand, *hand_nodes = skin_material("hand", "skin", HAND_INDEX)
        arm, *arm_nodes = skin_material("arm", "skin", ARM_INDEX)
        cloth, *cloth_nodes = cloth_material("cloth", "cloth", ARM_INDEX)
        self._materials = (hand, arm, cloth)
        self._skin_albedo = SwappedImage("albedo", False, [hand_nodes[0], arm_nodes[0]])
        self._skin_height = SwappedImage("height", True, [hand_nodes[1], arm_nodes[1]])
        self._cloth_albedo = SwappedImage("cloth_albedo", False, [cloth_nodes[0]])
        self._cloth_height = SwappedImage("cloth_height", True, [cloth_nodes[1]])

    def _make_world(self) -> None:
        world = self.scene.world = import_bpy().data.worlds.new("world")
        world.use_nodes = True
        environment = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
        world.node_tree.links.new(environment.outputs["Color"], world.node_tree.nodes["Background"].inputs["Color"])
        # AUTOMATIC builds a map far finer than the panorama, for longer than a sample takes
        world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 256
        pin(world.cycles, WORLD)
        self._world = SwappedImage("light", True, [environment])

    def _add(self, name: str, data: bpy.types.ID) -> bpy.types.Object:
        item = import_bpy().data.objects.new(name, data)
        self.scene.collection.objects.link(item)
        return item


def set_quality(scene: bpy.types.Scene, settings: RenderSettings) -> None:
    """Write `settings` into the scene. Persistent data ignores such changes until the scene is tagged."""
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    cycles.device = choose_device(settings.device)
    render.resolution_x, render.resolution_y, render.resolution_percentage = settings.width, settings.height, 100
    render.film_transparent = render.use_persistent_data = True
    render.use_compositing = render.use_sequencer = False
    render.threads_mode, render.threads = ("FIXED", settings.threads) if settings.threads else ("AUTO", 1)
    cycles.samples, cycles.use_adaptive_sampling = settings.samples_per_pixel, False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = settings.bounces
    cycles.transmission_bounces = 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 10.0
    cycles.use_denoising = False  # done afterwards, with better guides than Cycles': `Studio.denoise`
    pin(render, RENDER)
    pin(cycles, CYCLES)
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_material_index = True
    scene.update_tag()


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.astype(np.float32)[:, :, None], 4, axis=2)
