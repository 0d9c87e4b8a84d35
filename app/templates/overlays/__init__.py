"""What an overlay says: its marks, its edits, what they do to a document, and who set each value. Pure."""
