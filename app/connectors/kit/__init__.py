"""What every connector is made of: its manifest, the contract of its folder, and the one program that calls it."""
