"""What people say to each other about running work: comments, mentions, watching, reminding."""
