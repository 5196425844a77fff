"""How long a release will take on so many machines, before anything is rendered."""
