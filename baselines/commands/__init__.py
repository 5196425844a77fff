"""Commands on estimators, one module each; this table is all that is imported before one is chosen."""

COMMANDS: dict[str, str] = {
    "train": "train an estimator on a data set; a run that was interrupted can go on",
    "evaluate": "score a trained estimator on a data set, split by split",
}
