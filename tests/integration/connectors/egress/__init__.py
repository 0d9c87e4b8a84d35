"""Every way in which a URL comes to be called, tried with URLs that must not be."""
