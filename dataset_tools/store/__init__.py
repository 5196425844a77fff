"""Shards on disk: samples encoded, staged, packed, read back; manifests; names of the files in a release folder."""
