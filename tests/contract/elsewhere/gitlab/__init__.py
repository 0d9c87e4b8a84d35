"""GitLab: issues of one project, found again by a label of ours."""
