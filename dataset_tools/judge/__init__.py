"""An outside opinion: how surely a detector made for photographs finds the hands of a release."""
