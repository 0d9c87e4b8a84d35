"""Records that we and an outside system both hold: whether they still agree, what waits where they do not, who decides.

A source (`sources`) names the records of one kind. A job reads each in the other system and compares it with ours; what
differs is kept (`records`), holds back what would be written there (`holding`), and is settled by a person.
"""
