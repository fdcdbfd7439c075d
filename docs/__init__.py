"""The project's documents, and what makes the parts of them that come from the code."""
