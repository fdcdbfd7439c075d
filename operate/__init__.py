"""Commands for the operator of a stack: ``python -m operate``."""
