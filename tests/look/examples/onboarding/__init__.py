"""Examples of pages of running work: dates, course, queues of work."""
