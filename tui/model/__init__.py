"""What things are: pure data and decisions. No I/O, no clock, no screen."""
