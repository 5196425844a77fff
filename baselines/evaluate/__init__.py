"""Predictions of a trained estimator on a data set, and their scores."""
