"""The guard at the doors: who may knock, who comes, and how often."""
