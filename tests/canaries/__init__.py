"""Canaries of the whole suite: what tests use and draw as secrets carries one mark, which must be left nowhere.

`marks` says what is looked for, `drawing` puts it into what is drawn by chance, `listening` hears what is said in
passing, `places` searches what is left behind, `lawful` is where a secret may be. `tests/fixtures/canaries.py` runs it.
"""
