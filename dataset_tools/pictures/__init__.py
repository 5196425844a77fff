"""Labels as pictures: overlays, contact sheets, views of a sample."""
