"""Readers that turn every source of hand poses into a `PoseClip`."""
