"""Whether a release is fit to publish, by what estimators learn from it."""
