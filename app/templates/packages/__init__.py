"""Service packages that a partner sells: their documents, what a sold one makes of a template, and their editor.

They stand here and not beside organisations, since what a package is made of is told by templates and components.
"""
