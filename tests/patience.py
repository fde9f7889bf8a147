"""How long tests wait for what must come."""

PATIENCE = 60.0
"""Seconds. It tells a hang from a machine that is slow or busy with other things, and measures nothing."""
