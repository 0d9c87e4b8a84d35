"""How requests prove who sends them: the schemes of a manifest, what signs by each, and how tokens are asked for."""
