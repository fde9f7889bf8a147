"""The program in a real terminal: what only a PTY can show."""
