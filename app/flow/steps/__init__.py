"""The parts of `decide`: one working copy (`draft`), and one file per kind of consequence. Only `decide` calls them."""
