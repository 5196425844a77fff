"""What a sample looks like: light, backgrounds, clutter, cloth, colour; nothing here needs Blender."""
