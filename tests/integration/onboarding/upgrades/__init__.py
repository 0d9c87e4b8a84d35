"""Many onboardings go on with another version at once, and back."""
