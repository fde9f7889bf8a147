"""The timeout of all waits in the tests."""

PATIENCE = 60.0
"""Seconds. Long enough that only a hang reaches it, even on a slow or busy machine; it measures nothing."""
