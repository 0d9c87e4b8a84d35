"""Operator commands that need more than a few lines: each parses its arguments and calls the product."""
