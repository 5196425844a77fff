"""How a typical Blender script renders the same sample: the yardstick of the rendering benchmark.

It follows what public hand and object generators do: a scene with the denoiser and the world's importance map at
their defaults, the label passes switched on, one render call per view into a multilayer EXR on disk, and the passes
read back from that file. Mesh, skin, lamps, bounces and camera are those of mvhm, and nothing is done badly on purpose.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np

from blender_scripts.blender import quiet_stdout
from blender_scripts.cycles.framing import camera_matrix
from blender_scripts.cycles.scene import Studio, set_quality
from blender_scripts.looks.exposure import scene_light
from blender_scripts.looks.hdri import turn
from blender_scripts.settings import RenderSettings

PASSES = ("Combined", "Depth", "IndexMA", "Normal", "Vector")


class TypicalScript:
    """Takes a `Studio` for its meshes, materials and lamps, and renders its scene the usual way."""

    def __init__(self, studio: Studio, settings: RenderSettings, plain: bool = False):
        """`plain` turns the denoiser off: for the reference pictures."""
        self.studio, self.scene, self.settings = studio, studio.scene, settings
        self._set_defaults(plain)
        environment = next(n for n in self.scene.world.node_tree.nodes if n.type == "TEX_ENVIRONMENT")
        self._environment = environment
        self._folder = tempfile.TemporaryDirectory(prefix="typical-")
        libraries = Path(bpy.utils.resource_path("LOCAL")) / "python" / "lib"  # OpenImageIO comes with bpy
        sys.path.append(str(next(libraries.glob("python*/site-packages"))))

    def _set_defaults(self, plain: bool) -> None:
        render, cycles, layer = self.scene.render, self.scene.cycles, self.scene.view_layers[0]
        set_quality(self.scene, self.settings)
        render.use_persistent_data = False
        render.use_border = render.use_crop_to_border = False
        cycles.use_denoising, cycles.denoiser = not plain, "OPENIMAGEDENOISE"
        cycles.denoising_quality, cycles.denoising_prefilter = "HIGH", "ACCURATE"  # Blender's defaults
        self.scene.world.cycles.sampling_method = "AUTOMATIC"
        layer.use_pass_normal = layer.use_pass_vector = not plain
        render.image_settings.file_format, render.image_settings.color_depth = "OPEN_EXR_MULTILAYER", "32"

    def set_stage(self, spec, vertices: np.ndarray) -> None:
        """Body, skin, sleeve, lamps and the whole panorama as the world."""
        look, studio = spec.look, self.studio
        studio.set_body(look.arm_shape, spec.left, vertices)
        studio.set_skin(spec.skin)
        if look.arm_style == "sleeve":
            studio.set_cloth(look.cloth)
        studio.set_light(np.ones((64, 128, 3), np.float32), look.lamps)
        panorama = scene_light(look, turn(studio.hdris.panorama(look.hdri), look.rotation))
        self._environment.image = self._world_image(panorama)

    def _world_image(self, panorama: np.ndarray):
        rows, columns = panorama.shape[:2]
        old = bpy.data.images.get("panorama")
        if old is not None:
            bpy.data.images.remove(old)
        image = bpy.data.images.new("panorama", columns, rows, alpha=True, float_buffer=True)
        image.colorspace_settings.name = "Non-Color"
        opaque = np.dstack([panorama, np.ones((rows, columns), np.float32)])
        image.pixels.foreach_set(np.ascontiguousarray(opaque[::-1], np.float32).ravel())
        image.pack()
        return image

    def render_view(self, K: np.ndarray, world_to_cam: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """One render call into a file, and its passes read back; "Combined" is (H, W, 4) linear, premultiplied."""
        camera, width, height = self.scene.camera, self.settings.width, self.settings.height
        camera.data.sensor_fit, camera.data.sensor_width = "HORIZONTAL", 36.0
        camera.data.lens = K[0, 0] * 36.0 / width
        camera.data.shift_x, camera.data.shift_y = (width / 2 - K[0, 2]) / width, (K[1, 2] - height / 2) / width
        camera.matrix_world = camera_matrix(world_to_cam).T.tolist()
        self.scene.cycles.seed = seed
        self.scene.render.filepath = str(Path(self._folder.name) / "view")
        with quiet_stdout():
            bpy.ops.render.render(write_still=True, scene=self.scene.name)
        return self._read(Path(self._folder.name) / "view.exr")

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        import OpenImageIO

        picture = OpenImageIO.ImageInput.open(str(path))
        names, pixels = picture.spec().channelnames, picture.read_image("float")
        picture.close()
        found: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            found.setdefault(name.split(".")[-2], []).append(index)
        order = {
            name: sorted(channels, key=lambda c: "RGBAXYZWV".index(names[c][-1])) for name, channels in found.items()
        }
        return {name: pixels[..., order[name]] for name in PASSES if name in order}
