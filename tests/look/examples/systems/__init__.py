"""What other systems are connected, and how."""
