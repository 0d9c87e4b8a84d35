"""Deals that are sold with a service package."""
