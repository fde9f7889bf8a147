"""What speaking the API costs at the start."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import tui.api.endpoints
print(*sorted(name for name, module in sys.modules.items() if module is not None))
"""


def test_nothing_is_imported_that_the_client_does_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "httpx" in loaded
    assert not loaded & {"textual", "rich", "pygments", "click", "starlette", "uvicorn", "sqlite3"}
