"""One shard: its request, worker processes, event log, staging, and the call that renders it."""
