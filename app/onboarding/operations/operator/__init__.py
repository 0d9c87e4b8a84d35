"""What operators do about running work from a shell: failed jobs again, journals replayed and compared."""
