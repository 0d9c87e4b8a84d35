"""Setting up and caring for connections: let us in by OAuth, try out, change credentials without a gap, take away."""
