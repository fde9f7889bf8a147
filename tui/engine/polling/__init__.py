"""Polling: when a job is asked for, and when servers are read again."""
