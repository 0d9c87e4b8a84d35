"""What an upgrade does in one workspace, in transactions of that workspace only: look, go on, take back."""
