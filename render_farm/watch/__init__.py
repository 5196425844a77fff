"""How far a release is, told from its folder alone."""
