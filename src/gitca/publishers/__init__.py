"""Publishers put certificates, chains and CRLs where relying parties read them.

The scheme table that issue "From pull request to relying party" fills; a repository that names no
target publishes nowhere but in Git.
"""
