"""Poses of our own: anchors, the sampler, how diverse poses are."""
