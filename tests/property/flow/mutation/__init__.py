"""How well the tests of the engine notice a changed line."""
