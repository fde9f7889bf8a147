"""Polling: when the status of a job is requested, and when servers are read again."""
