"""Giving memory back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Return what the C library keeps of memory that was freed, as after the bodies of a large reading.

    It would be used again, but a console stays open for hours between two such readings. Takes a few
    milliseconds. Does nothing where the C library cannot do it: only glibc can.
    Source: malloc_trim(3).
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
