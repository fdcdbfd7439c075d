"""What the program and the documents are made with, beside the components."""
