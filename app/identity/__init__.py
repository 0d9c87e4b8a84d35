"""People, members, sign-in links, sessions. Verbs: invite, sign in, sign out. Says who, not what they may."""
