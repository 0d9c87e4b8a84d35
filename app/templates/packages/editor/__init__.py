"""The package editor: what each of its forms asks, and what a draft says after one was sent."""
