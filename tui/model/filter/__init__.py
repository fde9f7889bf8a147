"""The filter language: its grammar, its parser, and the terms that match servers."""
