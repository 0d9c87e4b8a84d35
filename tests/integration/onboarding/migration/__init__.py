"""Going on with another version of a template, over real HTTP and from a shell."""
