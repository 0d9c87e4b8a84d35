"""The marketplace of templates. Verbs: offer, review, list, install, deprecate, take down, import, export.

The authority is always a home: the publisher's for what it offers, the operator's for what it decides, the installing
partner's for what it has taken. `control` holds what all may look for, and follows by job.
"""
