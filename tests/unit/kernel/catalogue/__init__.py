"""Attacks on the shared words of the house."""
