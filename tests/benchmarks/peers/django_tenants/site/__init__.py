"""A Django project of the least size, copied to a folder of each run, where its migrations are made."""
