"""Posing: a clip of joints becomes hands, or any rig of our format, and files that other programs open."""
