"""Writing templates in the portal: what a text is, what is wrong with it, and publishing it."""
