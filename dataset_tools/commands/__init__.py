"""The commands of this package: name -> what it does. Each is the module of its name."""

COMMANDS = {
    "release": "publish a validated folder of shards as a versioned release",
    "verify": "say whether a copy of a release is whole, and what is missing or broken",
    "diff": "say what changed between two releases, field by field",
}
