"""Up, down, drift: what migrations make is what the models say."""
