"""The filter language: its grammar, its parser, and what it asks of a server."""
