"""The commands of `python -m render_farm`, one file each: `add` registers its options, `run` does the work."""
