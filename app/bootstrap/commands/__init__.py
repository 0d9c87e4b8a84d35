"""Operator commands with sub-commands: each parses its arguments, opens the program and calls one operation."""
