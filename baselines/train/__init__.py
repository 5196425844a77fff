"""One loop that trains every estimator."""
