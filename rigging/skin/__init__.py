"""Skin baked per subject: albedo, height and roughness of hand and bare arm (docs/skin.md)."""
