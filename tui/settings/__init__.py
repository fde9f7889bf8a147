"""The settings: files, schema, sources and credentials."""
