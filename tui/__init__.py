"""Pitstop: the terminal console for maintenance windows."""

__version__ = "0.1.0"
