"""Many samples, many workers, many machines: plans, shards, resume, progress."""
