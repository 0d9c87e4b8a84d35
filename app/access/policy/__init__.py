"""What is allowed, before anybody is asked: the rules of roles, names that narrow them, and bounds of delegations."""

from app.access.policy.reading import (
    MOST_RULES,
    POLICY_FILE,
    Policy,
    PolicyBroken,
    Rule,
    load_policy,
    parse_policy,
)

__all__ = ["MOST_RULES", "POLICY_FILE", "Policy", "PolicyBroken", "Rule", "load_policy", "parse_policy"]
