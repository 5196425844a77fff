"""The gate between pose sources and the plan: limits, checks of frames, jumps, hints, what was lost."""
