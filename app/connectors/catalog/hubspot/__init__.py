"""HubSpot: its webhook says that a deal was won, its CRM objects API says what was sold."""
