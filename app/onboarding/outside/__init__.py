"""What an onboarding has done in other systems: stopped with it, shown before, offered to be undone after."""
