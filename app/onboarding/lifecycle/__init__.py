"""What follows an onboarding: renewal, expansion, escalation, offboarding, each a run of the same engine."""
