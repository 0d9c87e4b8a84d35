"""What the language says beyond the tree: questions, controls, compliance, exception paths, people who stand in."""
