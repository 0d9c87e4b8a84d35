"""What template authors work with: the files of a template, all checks of them at once, a drawing. Reads files only."""
