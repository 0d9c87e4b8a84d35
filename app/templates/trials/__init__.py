"""Tests of templates: scenarios (given, when, then) played by the reducer that runs onboardings. Pure.

`tests.yaml` holds them, `sample.yaml` what they begin with. Verbs: read, play, expect. Nothing is called, nobody told.
"""
