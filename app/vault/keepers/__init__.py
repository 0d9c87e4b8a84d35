"""Who keeps wrapping keys: a folder of our own or the operator's vault, behind one protocol (`wrapping.py`)."""
