"""Trying a published version out: a sandbox of the partner that starts that very version."""
