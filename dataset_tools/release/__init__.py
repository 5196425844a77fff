"""From validated shards to a published release: manifest, index, card, and checks of copies."""
