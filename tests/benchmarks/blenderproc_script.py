"""Renders the benchmark's cases through BlenderProc's public interface; runs in the environment of `blenderproc_env`.

BlenderProc is driven as its examples that render many scenes in one process do (`examples/datasets/bop_challenge`):
outputs are enabled once, the scene is edited in place, camera poses are keyframes, and one `bproc.renderer.render()`
makes all views. Depth and segmentation come with the pictures, optical flow from `render_optical_flow`. Blender starts
once and textures and panoramas are loaded beforehand, which favours BlenderProc. Plain bpy is used only for what
BlenderProc has no call for: UV layers, custom normals, focal lengths per view, sizes of area lamps, caustics, seed.

Started as: python blenderproc_script.py --background -- blenderproc_script.py TEMPORARY FOLDER, which are the
arguments that `blenderproc run` passes. Pickled requests come on stdin, pickled replies go to stdout.
"""

import json
import os
import pickle
import sys
import time
from pathlib import Path

import blenderproc as bproc  # isort: skip  (has to come first, it takes the arguments)
import bpy
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2]))
from blender_scripts.cycles.materials import cloth_material, set_subsurface, skin_material  # the same nodes as ours

OPENCV_TO_BLENDER = np.diag([1.0, -1.0, -1.0, 1.0])


class Renderer:
    """BlenderProc, initialised, with the materials and one object whose mesh changes from case to case."""

    def __init__(self, folder: Path):
        """`folder` holds what `blenderproc_cases.write_cases` wrote."""
        self.folder, self.settings = folder, json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        self.cases = {}
        bproc.init()
        body = bproc.object.create_with_empty_mesh("body")
        body.set_cp("category_id", 1)
        self._make_materials()
        self._set_up()

    def _make_materials(self) -> None:
        """Hand, arm and cloth, whose nodes are named: undoing within BlenderProc invalidates references."""
        made = skin_material("hand", "skin", 1), skin_material("arm", "skin", 2), cloth_material("cloth", "cloth", 2)
        for _, albedo, height in made:
            albedo.name, height.name = "albedo", "height"
        for material, *_ in made[:2]:
            set_subsurface(material, self.settings["subsurface"])

    def _set_up(self) -> None:
        """Outputs, denoiser and bounces, once."""
        bounces = self.settings["bounces"]
        bproc.renderer.set_cpu_threads(self.settings["threads"])
        bproc.renderer.set_light_bounces(
            diffuse_bounces=bounces, glossy_bounces=bounces, max_bounces=bounces, ao_bounces_render=0
        )
        bproc.renderer.set_output_format("OPEN_EXR", 16, enable_transparency=True)
        bproc.renderer.set_denoiser("INTEL")
        bproc.renderer.enable_depth_output(activate_antialiasing=False)
        bproc.renderer.enable_segmentation_output(map_by="category_id", default_values={"category_id": 0})
        cycles = bpy.context.scene.cycles
        cycles.caustics_reflective = cycles.caustics_refractive = False

    def prepare(self, case: int) -> None:
        """Read a case's arrays and load its images; not timed."""
        if case not in self.cases:
            self.cases[case] = dict(np.load(self.folder / f"case-{case:02d}.npz"))
            for name in ("albedo", "height", "cloth_albedo", "cloth_height"):
                path = self.folder / f"case-{case:02d}-{name}.png"
                if path.exists():
                    image = bpy.data.images.load(str(path), check_existing=True)
                    image.colorspace_settings.name = "Non-Color" if name.endswith("height") else "sRGB"
                    image.alpha_mode = "CHANNEL_PACKED"

    def render(self, case: int, views: list[int], samples_per_pixel: int, flow: bool) -> dict:
        """Render views of a case: "colors" (V, H, W, 4) linear, premultiplied, and seconds without and with flow."""
        self.prepare(case)
        data = self.cases[case]
        start = time.perf_counter()
        self._set_stage(case, data)
        self._set_cameras(data, views)
        bproc.renderer.set_max_amount_of_samples(samples_per_pixel)
        bpy.context.scene.cycles.seed = int(data["seed"])
        bpy.context.scene.update_tag()  # persistent data would keep the old settings
        found = bproc.renderer.render()
        rendered = time.perf_counter()
        if flow:
            found |= bproc.renderer.render_optical_flow()
        end = time.perf_counter()
        return {"colors": np.stack(found["colors"]), "seconds": rendered - start, "flow_seconds": end - rendered,
                "outputs": sorted(found)}  # fmt: skip

    def _set_stage(self, case: int, data: dict) -> None:
        """Mesh, textures, world and lamps."""
        self._set_mesh(data)
        for name, prefix in (("hand", ""), ("arm", ""), ("cloth", "cloth_")):
            nodes = bpy.data.materials[name].node_tree.nodes
            for kind in ("albedo", "height"):
                nodes[kind].image = bpy.data.images.get(f"case-{case:02d}-{prefix}{kind}.png")
        world = bpy.context.scene.world.node_tree.nodes
        for node in [node for node in world if node.type in ("TEX_ENVIRONMENT", "MAPPING", "TEX_COORD")]:
            world.remove(node)
        bproc.world.set_world_background_hdr_img(str(self.folder / f"case-{case:02d}-panorama.hdr"))
        bproc.object.delete_multiple([bproc.types.Light(blender_obj=item) for item in lamps()])
        for lamp in json.loads(str(data["lamps"])):
            add_lamp(lamp)

    def _set_mesh(self, data: dict) -> None:
        body = bpy.data.objects["body"]
        old, mesh = body.data, bpy.data.meshes.new("case")
        mesh.from_pydata(data["vertices"].tolist(), [], data["faces"].tolist())
        mesh.polygons.foreach_set("material_index", data["material_index"].astype(np.int32))
        mesh.polygons.foreach_set("use_smooth", np.ones(len(data["faces"]), bool))
        for name in ("skin", "cloth"):
            mesh.uv_layers.new(name=name).data.foreach_set("uv", data[f"uv_{name}"].astype(np.float32).ravel())
        for name in ("hand", "arm", "cloth"):
            mesh.materials.append(bpy.data.materials[name])
        mesh.normals_split_custom_set_from_vertices(data["normals"].astype(np.float32))
        body.data = mesh
        bpy.data.meshes.remove(old)

    def _set_cameras(self, data: dict, views: list[int]) -> None:
        bproc.utility.reset_keyframes()
        width, height = self.settings["width"], self.settings["height"]
        for view in views:
            K = data["K"][view].copy()
            K[:2, 2] -= 0.5  # BlenderProc's pixel centres have whole numbers
            bproc.camera.set_intrinsics_from_K_matrix(K, width, height)
            pose = np.linalg.inv(data["world_to_cam"][view]) @ OPENCV_TO_BLENDER
            frame = bproc.camera.add_camera_pose(pose)
            bpy.context.scene.camera.data.keyframe_insert("lens", frame=frame)


def lamps() -> list:
    """Objects of all lamps in the scene."""
    return [item for item in bpy.context.scene.objects if item.type == "LIGHT"]


def add_lamp(values: dict) -> None:
    """Add a lamp that shines along its -z, as `values` of `blenderproc_cases` say."""
    lamp = bproc.types.Light(values["kind"].upper())
    lamp.set_location(values["location"])
    lamp.set_rotation_mat(np.array(values["rotation"]))
    lamp.set_color(values["color"])
    lamp.set_energy(values["energy"])
    data = lamp.blender_obj.data
    if values["kind"] == "area":
        data.shape, data.size = "DISK", values["size"]
    elif values["kind"] == "point":
        lamp.set_radius(values["size"])
    else:
        data.angle = values["size"]


def main() -> None:
    """Answer requests until stdin ends: each is the keyword arguments of `Renderer.render`."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # BlenderProc's and Blender's own messages
    renderer = Renderer(Path(sys.argv[1]))
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(renderer.render(**request), replies)
        replies.flush()


if __name__ == "__main__":
    main()
