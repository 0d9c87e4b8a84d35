"""Whose turn it is: start-time fair queuing between queues and between tenants, under caps (decision 22)."""
