"""Skin baked per subject: albedo and height maps painted from rest positions."""
