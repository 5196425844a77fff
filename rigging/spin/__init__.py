"""Spin matching (MVHM, Algorithm 1): from joints to bone rotations, and to a posed hand."""
