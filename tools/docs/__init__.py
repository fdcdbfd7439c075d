"""Writes what the documents take from the code: ``python -m tools.docs``."""
