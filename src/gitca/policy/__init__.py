"""May this be issued? Deny by default; every violation is a finding."""
