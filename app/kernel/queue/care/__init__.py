"""What operators see of jobs and do to them, however many there are: counted, listed, tried again, cancelled."""
