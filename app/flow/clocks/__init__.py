"""Clocks of an onboarding: whose time passes, which clock stands still and why, who is reminded when."""
