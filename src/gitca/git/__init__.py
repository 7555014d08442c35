"""Git through object plumbing: read a commit, record, commit, push with compare-and-swap."""
