"""Keys and secrets, attacked: another place, another key, damage, lax folders, several creators, nosy readers."""
