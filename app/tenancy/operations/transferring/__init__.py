"""Exports and imports that are asked for by API: asked, carried out by a worker, followed to their end."""
