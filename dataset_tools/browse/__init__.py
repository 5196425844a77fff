"""A release as a static site: pages of thumbnails, and a page for every sample."""
