"""Parts that not every onboarding has: optional ones, repeated ones, and included components. Pure."""
