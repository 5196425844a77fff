"""Estimators trained and scored on a release: the only home of torch models. None is here yet."""
