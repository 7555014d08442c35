"""What a reconcile would do, as a value, and its renderings."""
