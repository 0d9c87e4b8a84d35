"""The trail on the real database: sequencing, signing, erasing, exporting."""
