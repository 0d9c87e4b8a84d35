"""The JSON doors of access: delegations of one tenant and over all of them, a partner's own roles, explanations."""
