"""The studio: drafts that are kept, their structure beside their source, walked and compared before they are published."""
