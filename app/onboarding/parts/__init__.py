"""Parts of running work that not every onboarding needs: declined here, by page and by API."""
