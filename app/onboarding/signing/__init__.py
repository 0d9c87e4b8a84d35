"""Texts that people sign in a step: a simple electronic signature, with the text kept exactly as it was."""
