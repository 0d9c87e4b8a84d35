"""Software that acts by itself. Nouns: service account, credential, token. Verbs: create, change, issue, revoke.

An account is a member row of kind `service` in the tenant it belongs to (a partner's: in its home), with its
credentials; `control` follows, and is what tokens are issued and looked up from. Nobody gives an account what they do
not hold themselves.
"""
