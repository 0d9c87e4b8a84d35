"""The demo's world: three partners after the three scenarios of the mission, as plain values, and how they come to be."""
