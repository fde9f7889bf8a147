"""Where files are, what can be set, and where each value comes from."""
