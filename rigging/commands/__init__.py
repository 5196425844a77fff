"""Commands of the rig, one module each; this table is all that is imported before one is chosen."""

COMMANDS = {
    "poses": "say what a pose source holds, and what the gate rejects",
    "pose": "pose a hand to the clips of a source or file, as npz, OBJ, PLY or glTF",
    "match": "errors of spin matching on the poses of a source or file",
    "build-asset": "build the hand asset from MakeHuman's CC0 data, or check it",
}
