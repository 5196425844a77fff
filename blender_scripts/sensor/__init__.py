"""A camera's way from light to a stored picture; no Blender is needed."""
