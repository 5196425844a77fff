"""Metrics of hand pose estimation, streaming and exact, with numpy alone."""
