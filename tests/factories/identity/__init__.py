"""Who comes in otherwise than by a mailed link: software, and people whom a provider vouches for."""
