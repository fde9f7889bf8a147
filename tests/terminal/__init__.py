"""The program in a real terminal: behaviour that needs a PTY."""
