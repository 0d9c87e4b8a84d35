"""Doors of drifts: what differs, a look at once, a settlement."""
