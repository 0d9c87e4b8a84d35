"""Operator commands about running work: the dispatcher, onboardings, histories."""
