"""What a release holds, decided once: the release file, its plan, and what the plan says of every sample."""
