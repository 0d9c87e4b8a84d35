"""What is looked at before anybody else sees a submission, and what is told of it. Pure: documents in, findings out."""
