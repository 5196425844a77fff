"""The estimators, each from top to bottom like its paper."""
