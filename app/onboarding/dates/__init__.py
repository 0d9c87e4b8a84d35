"""The dates of one onboarding: days that people choose, what would move with them, and why each date is what it is."""
