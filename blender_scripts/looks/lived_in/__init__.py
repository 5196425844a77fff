"""Made-up rooms that look lived in: `room.build_room`, `light_room` and `view_room`, as of `clutter`."""
