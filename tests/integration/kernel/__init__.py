"""Work, commands, events, timers and jobs, killed in the middle and run twice."""
