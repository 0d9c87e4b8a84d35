"""Webhooks that come in: whose address it is, whether a delivery is genuine, what of it is new, what was held back."""
