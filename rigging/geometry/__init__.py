"""Geometry that every package shares: projection and triangulation, triangle meshes, rotations."""
