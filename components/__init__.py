"""The pipeline's infrastructure: one component resource per file."""
