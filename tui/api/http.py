"""httpx, imported without its command line and without the search for other kinds of event loops."""

import importlib.util
import sys

# httpx imports its command line, with much of rich and pygments, wherever those are installed: 40 ms and
# 3 MB for nothing. A module that is None here counts as not installed, which httpx is made for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

# httpcore asks for sniffio at every request, to distinguish trio from asyncio. Where it is not installed,
# searching the disk for it each time was a tenth of a request's cost. Where it is, anyio may need it.
if importlib.util.find_spec("sniffio") is None:
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

__all__ = ["httpx"]
