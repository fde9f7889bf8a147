"""One module per screen. Only the login screen is imported before the first paint."""
