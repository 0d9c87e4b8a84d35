"""An onboarding in four answers, for whoever sees it the first time."""
