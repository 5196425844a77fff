"""Commands of rendering, one module each; this table is all that is imported before one is chosen."""

COMMANDS = {
    "render": "render one shard",
    "farm": "render many shards with Ray, here or on a cluster",
    "sample": "render one sample of a planned release alone, to see why it fails",
    "status": "say how far a release is, from its folder alone",
    "collect": "gather shards from several folders into one",
    "plan": "say how much work a release is, here and on a farm",
    "doctor": "test-import everything and say what is wrong",
}
