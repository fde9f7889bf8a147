"""What other programs read: servers as CSV and JSON, a window as Markdown, CSV, JSON and HTML."""
