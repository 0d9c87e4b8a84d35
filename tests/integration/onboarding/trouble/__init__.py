"""Exceptions and the course of a running onboarding, through their doors."""
