"""From samples on disk to batches on a device: sources, packs, crops, augmentation, mixtures."""
