"""The kinds of document: YAML text becomes frozen models that know line and column."""
