"""The journal: a SQLite file that holds every intent before its request leaves, and every outcome."""
