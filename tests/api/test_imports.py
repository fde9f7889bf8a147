"""What importing the client loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
import tui.api.endpoints
print(*sorted(name for name, module in sys.modules.items() if module is not None))
"""


def test_the_client_imports_no_package_it_does_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "httpx" in loaded
    assert not loaded & {"textual", "rich", "pygments", "click", "starlette", "uvicorn", "sqlite3"}


def test_an_installed_sniffio_stays_importable(tmp_path: Path) -> None:
    """anyio before 4.12 needs sniffio. Pitstop hides it from httpcore only where it is not installed."""
    (tmp_path / "sniffio.py").write_text("", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import tui.api.http; import sniffio"
    subprocess.run([sys.executable, "-c", code], check=True)
