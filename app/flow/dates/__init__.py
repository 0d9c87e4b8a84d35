"""Dates that follow what happens: which moved and why, days that people choose, the way back from a wanted go-live.

Pure, as all of `app.flow`. `follow` is part of `decide`; `causes`, `backward` and `asked` are read by pages too.
"""
