"""Commands on estimators, one module each; this table is all that is imported before one is chosen."""

COMMANDS: dict[str, str] = {
    "pack": "put what training needs of a release into one file, which needs no HDF5",
}
