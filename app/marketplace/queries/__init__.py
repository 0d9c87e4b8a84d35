"""Reads of the marketplace: what one may see of others, what one offers, what waits for a review."""
