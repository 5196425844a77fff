"""The loader: shards as a sequence of dicts of arrays, and what is done to a sample once it is loaded."""
