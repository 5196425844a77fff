"""One shard on one machine: worker processes, retries, staging, the shard file, its event log."""
