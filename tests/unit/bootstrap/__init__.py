"""Tests of the wiring that need no database."""
