"""Templates before they run: the catalogue, the studio, lines, packages and the marketplace."""
