"""A release as a recording for the Rerun viewer; the only room that imports `rerun`, in an environment of its own."""
