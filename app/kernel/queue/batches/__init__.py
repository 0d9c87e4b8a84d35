"""What a worker's threads say to the cell at one moment, said in one transaction: claims, and ends of jobs."""
