"""`release` and `rollback`: which version of each function is called."""
