"""Credentials that people hand over in a step: sealed as they arrive, used by runs, shown to nobody."""
