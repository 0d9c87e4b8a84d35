"""Systems at the other end: what comes in from them."""
