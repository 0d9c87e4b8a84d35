"""Real processes on the queue, stopped, killed and cut off in the middle."""
