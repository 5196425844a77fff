"""Many shards on many machines: Ray actors that pull shards from a queue, and bringing shards together."""
