"""The client of the CenturyLink Cloud v2 API. Knows HTTP and the wire; never the screen."""

import sys

# httpx carries a command line of its own, and imports it, with much of rich and pygments, wherever those are
# installed: 40 ms and 3 MB for nothing. A module that is None here counts as not installed, which httpx
# is made for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
