"""Fairness of jobs (DESIGN 16): a quiet tenant beside a noisy one, tenants alike, Dramatiq with a queue a tenant."""
