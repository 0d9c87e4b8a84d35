"""The doors of files: pages, JSON, and how content is sent."""
