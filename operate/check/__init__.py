"""`check`: whether a deployed stack is whole, and a file comes to its end in it."""
