"""Kinds of tasks that are more than a form: credentials that are handed over unseen, texts that are signed."""
