"""People of a workspace, staff of a partner: invite, change a role, remove. The member row first, control follows."""
