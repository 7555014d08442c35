"""Reconcile: the recipe of DESIGN section 5 (`recipe.py` is the list), each step in a file."""
