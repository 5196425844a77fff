"""Are shards right? The quick check, the validation of a release, and mutations that both must catch."""
