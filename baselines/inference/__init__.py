"""Trained estimators for people: their own photographs and films in, joints and meshes out; networks as ONNX."""
