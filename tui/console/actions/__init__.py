"""What the commands of the console do, one module for each kind of command."""
