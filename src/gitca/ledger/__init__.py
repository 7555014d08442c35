"""The append-only record, and the state it folds to."""
