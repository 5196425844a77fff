"""A pose becomes a posed hand: joints, bone rotations, 2651 vertices, eight cameras (numpy and scipy only)."""
