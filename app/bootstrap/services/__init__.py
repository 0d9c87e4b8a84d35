"""What capabilities ask of those above them, made of what they do not know: keys, rights, hosts."""
