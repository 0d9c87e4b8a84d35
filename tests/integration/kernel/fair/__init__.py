"""Fair queuing over real rows."""
