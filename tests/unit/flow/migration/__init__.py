"""Going on with another version of a template: what is kept, what is refused, what follows."""
