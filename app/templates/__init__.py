"""Onboarding templates: language, overlays, published versions. Verbs: lint, merge, publish, pin. Runs nothing."""
