"""X.509 as values and bytes: no I/O, no clock, no randomness (RFC 5280, 2986, 5958, 9881)."""
