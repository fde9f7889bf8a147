"""httpx, without the command line that it brings along."""

import sys

# httpx imports its command line, with much of rich and pygments, wherever those are installed: 40 ms and
# 3 MB for nothing. A module that is None here counts as not installed, which httpx is made for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

__all__ = ["httpx"]
