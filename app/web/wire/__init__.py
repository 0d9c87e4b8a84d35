"""What JSON doors share: reading what software sends, answering it, and saying both in the OpenAPI document."""
