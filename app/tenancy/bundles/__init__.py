"""A tenant as one signed, sealed file that another installation imports. Verbs: export, verify, import, cancel."""
