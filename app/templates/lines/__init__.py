"""What a partner offers of a template: which version with which chain of overlays, and what it offered before."""
