"""Triangulation, fusion of views and alignment, batched on tensors; no learning."""
