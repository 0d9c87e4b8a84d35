"""Messages to people: choose, render in a brand, send, remember. Decides nothing about the work itself."""
