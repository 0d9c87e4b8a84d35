"""The ways in to upgrades: JSON for software, pages for people. All of them stand in the partner's home."""
