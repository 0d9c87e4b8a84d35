"""What is done with offers: each writes a home first; `following` and `telling` carry it on by job."""
