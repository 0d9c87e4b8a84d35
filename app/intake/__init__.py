"""Workflows, deals, trigger contract, packet. Verbs: admit, refuse, complete. For hooks and partner staff."""
