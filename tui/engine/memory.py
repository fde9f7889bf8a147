"""Returns freed memory to the system."""

import ctypes
import sys


def give_back() -> None:
    """Return to the system what the C library keeps of freed memory, e.g. after a large reading.

    A console stays open for hours between two such readings. Takes a few milliseconds; does nothing with a
    C library other than glibc. Source: malloc_trim(3).
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
