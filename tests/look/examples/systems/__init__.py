"""Other systems: how they are connected, what comes in from them and what goes out."""
