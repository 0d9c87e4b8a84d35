"""The demo's world: three partners after three scenarios, as plain values, and how they come to be."""
