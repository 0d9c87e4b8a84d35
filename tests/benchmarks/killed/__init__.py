"""Twelve calls in a row, by us, by DBOS and by a plain Dramatiq chain, while the worker is killed again and again."""
