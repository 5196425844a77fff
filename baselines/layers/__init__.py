"""Building blocks of the estimators, each with a naive twin in the tests."""
