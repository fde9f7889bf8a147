"""What is slow, and against what: figures on this machine, compared in one run. Not tests."""
