"""What pages and API of the marketplace share: who comes in, and how."""
