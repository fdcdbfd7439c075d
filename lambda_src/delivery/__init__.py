"""The delivery function: tells the next system of every finished file."""
