"""Made-up rooms that look lived in: `room.build_lived_in_room` and `room.view_lived_in_room`."""
