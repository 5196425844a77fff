"""Schema, HDF5 shards, loader, checks and viewer: the only home of h5py."""
