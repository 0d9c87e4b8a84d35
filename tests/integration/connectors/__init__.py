"""Runs of connector actions against real HTTP, and workers that are killed."""
