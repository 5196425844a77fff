"""Commands on shards and releases, one module each; this table is all that is imported before one is chosen."""

COMMANDS = {
    "info": "say what a shard or a folder of shards holds",
    "check": "verify shards: bytes, schema, values, cameras against labels",
    "validate": "check every sample of a release by every means; a report in DATA/validation",
    "statistics": "say what a release covers, in numbers and plots, beside photographs if given",
    "judge": "say how surely an outside detector finds the hands of a release; in DATA/judge",
    "mutate": "copy a release with one thing broken, to show that it is noticed",
    "view": "write pictures of every label of a sample",
    "clip": "write an mp4 of a pair or clip: photographs and a label beside them",
    "sheet": "write a contact sheet of a shard",
    "browse": "write a static site to look at a release: thumbnails, labels, meshes; in DATA/browse",
    "export-data": "write a release as WebDataset, Parquet, FreiHAND, InterHand2.6M, COCO, HaMeR's tars or meshes",
    "release": "publish a validated folder of shards as a versioned release",
    "verify": "say whether a copy of a release is whole, and what is missing or broken",
    "diff": "say what changed between two releases, field by field",
    "format": "print the documentation of the file format",
}
