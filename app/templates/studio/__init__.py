"""The studio: drafts that are kept, structure beside source, walked and compared before they are published."""
