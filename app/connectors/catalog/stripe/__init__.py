"""Stripe: reads who pays and for what; draws up invoices and makes customers only where somebody has allowed it."""
