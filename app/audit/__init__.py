"""The trail of a tenant: entries, leaves, tree, checkpoints. Verbs: record, sequence, sign, verify, export."""
