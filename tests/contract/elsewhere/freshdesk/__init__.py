"""Freshdesk: contacts and tickets of a help desk."""
