"""Faults of files, apart from what opens them: they are named where HDF5 is not needed."""

from __future__ import annotations

from rigging.errors import InputError


class ShardError(InputError):
    """A file that is not a whole, readable shard."""
