"""Door furniture: requests in, pages and problems out. Knows the kernel and no capability."""
