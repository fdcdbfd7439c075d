"""The delivery function: sends the next system every finished file."""
