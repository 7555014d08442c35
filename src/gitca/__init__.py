"""gitca: a certificate authority whose only database is a Git repository."""

__version__ = "0.1.0"
