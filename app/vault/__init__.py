"""Keys and secrets of a tenant. Verbs: seal, open, rotate. Opened only in a worker's run or at the door it guards."""
