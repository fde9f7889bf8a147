"""The same engine without a screen: for scripts, and for terminals that are none.

stdout is data, stderr is narration, and the exit code says how it ended (``exits``).
"""
