"""What is done with service accounts: in their tenant first, with its trail; `control` follows, and issues tokens."""
