"""The product: entries at the top, capabilities below, the kernel at the bottom. `docs/architecture.md` draws it."""
