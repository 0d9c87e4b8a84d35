"""Outside systems: connections, actions, runs, attempts. Verbs: connect, claim, call, record. Knows no onboarding."""
