"""The whole of Slipway on one machine: embedded servers, their supervisor, the doctor, demo data."""
