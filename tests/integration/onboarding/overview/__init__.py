"""The overview of an onboarding: four answers for whoever sees it the first time."""
