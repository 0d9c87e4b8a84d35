"""The work queues (REQUIREMENTS 1.6): what waits for somebody, over all customers or in one workspace."""
