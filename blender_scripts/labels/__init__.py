"""Exact labels from meshes and cameras; nothing here needs Blender."""
