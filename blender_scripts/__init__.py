"""A posed hand becomes pixels (Blender) and exact labels (rasteriser): the only home of bpy."""
