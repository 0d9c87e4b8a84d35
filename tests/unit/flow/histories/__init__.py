"""Histories that were recorded once and must lead to the same state with every later build."""
