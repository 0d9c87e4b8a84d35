"""What is done with endpoints: by people at the doors, and by the jobs that send."""
