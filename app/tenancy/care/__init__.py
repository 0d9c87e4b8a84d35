"""Jobs that an operator has tried again or cancels: of many workspaces at once, each with its entry in its trail."""
