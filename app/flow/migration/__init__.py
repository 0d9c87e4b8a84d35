"""Going on with another version of a template: who goes where, what is settled already, what somebody has to decide.

Pure, as all of `app.flow`. `migrate.preview` is the dry run, `migrate.migrate` the decision of the journal's entry.
"""
