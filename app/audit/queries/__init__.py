"""Reads of a trail: what is signed, for exports; and what happened, by filter, for people and software."""
