"""The work queues, and what people say to each other about work."""
