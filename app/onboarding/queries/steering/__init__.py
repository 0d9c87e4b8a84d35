"""What a person may do about the course of an onboarding and its exceptions, as forms in the reader's words."""
