"""Other products, measured beside ours: each in a virtual environment and lock of its own, never in ours."""
