"""Random onboardings under random faults, and then what must have held all along."""
