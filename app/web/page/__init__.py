"""What pages are made with: the filters of a locale, and the made-up facts that the gallery shows."""
