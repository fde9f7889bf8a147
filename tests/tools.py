"""The programs that some tests drive, besides what pip installs.

`python3 -m tests.tools` names the packages to install. A test declares its tools with
``@pytest.mark.needs("tmux")``. Where one is missing, the test is skipped with the line that says what to
install; where CI is set, it fails.
"""

import locale
import os
import shutil
from collections.abc import Iterable

LOCALE = "C.UTF-8"
"""The locale of every terminal of the tests."""

PACKAGES = {
    "tmux": "tmux",
    "screen": "screen",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    "openssl": "openssl",
    "strace": "strace",
    LOCALE: "libc-bin",
}
"""Tool -> its package on Debian and Ubuntu."""


def find(tool: str) -> str | None:
    """Path of a program, or None. Looks in /usr/sbin as well, where sshd is."""
    return shutil.which(
        tool, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    )


def missing(tools: Iterable[str] = PACKAGES) -> list[str]:
    """Those of ``tools`` that are not installed."""
    return [tool for tool in tools if not (_knows_locale() if tool == LOCALE else find(tool))]


def advice(tools: Iterable[str]) -> str:
    """One line that names the missing tools and how to install them."""
    tools = tuple(tools)
    return f"missing: {', '.join(tools)}: apt-get install {' '.join(PACKAGES[tool] for tool in tools)}"


def _knows_locale() -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, LOCALE)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


if __name__ == "__main__":
    print(*(PACKAGES[tool] for tool in missing()))
