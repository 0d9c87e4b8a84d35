"""How a custom integration goes live: its steps, each met by facts or a named person; its stages; the way back."""
