"""The same engine without a screen: for scripts, and for terminals that cannot show one.

stdout is data, stderr is progress, and the exit code is the outcome (``exits``).
"""
