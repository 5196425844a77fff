"""Commands on estimators, one module each; this table is all that is imported before one is chosen."""

COMMANDS: dict[str, str] = {
    "pack": "put what training needs of a release into one file, for machines with PyTorch, numpy and OpenCV alone",
    "label": "write pseudo labels of a data set: a noise model's, or what a trained estimator finds",
    "train": "train an estimator on a data set; a run that was interrupted can go on",
    "evaluate": "score a trained estimator on a data set, split by split",
    "compare": "several trained estimators on the same samples: one table with intervals and paired differences",
    "predict": "joints and mesh of the hand in your photographs or films, or in several views of it with cameras",
    "export": "a trained single-view estimator as an ONNX file",
    "gate": "judge a release by its labels and by what estimators learn from it; a report that passes or fails",
}
