"""The trail in the words of others: OCSF for a SIEM, a table for a spreadsheet."""
