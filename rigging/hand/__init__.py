"""The hand: its asset, shapes, skinning, and the sleeve and forearm at its wrist."""
