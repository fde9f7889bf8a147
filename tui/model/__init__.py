"""Data and decisions of the domain: pure functions and values, without I/O, clock or screen."""
