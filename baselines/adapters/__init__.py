"""Real data sets in the layouts they are published in, as sources of batches; files are the user's own."""
