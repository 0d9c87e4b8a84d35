"""What an operator sees of one onboarding; permission is holding the installation's databases."""
