"""Services that carry operations out, on a thread and event loop of their own. Never the screen."""
