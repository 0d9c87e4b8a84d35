"""Sign-in by somebody else's identity provider (OpenID Connect): connections, sign-in, logout, who gets in and as what.

A connection belongs to a partner's home (its staff sign in by it) or to a customer's tenant (its people do). What a
provider says counts there and nowhere else: a session that a customer's provider opened enters that tenant alone, and
one that a partner's provider opened has the roles that are assigned in that very organisation. See docs/access/sso.md.
"""
