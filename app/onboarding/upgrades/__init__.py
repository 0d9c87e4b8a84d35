"""Many running onboardings go on with another version at once: a dry run, a second person, and the way back."""
