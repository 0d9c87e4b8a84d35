"""Sold deals, from the CRM's knock to the verdict."""
