"""What conditions read and how they are held to it."""
