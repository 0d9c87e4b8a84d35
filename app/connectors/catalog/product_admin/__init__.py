"""Workbench Admin API: makes workspaces for customers in the partner's product."""
