"""Services that carry operations out, on a thread and event loop of their own. Independent of the screen."""
