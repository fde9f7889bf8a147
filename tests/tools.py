"""The programs that some tests drive, beside what pip installs.

`python3 -m tests.tools` names the packages to install. A test says what it needs with
``@pytest.mark.needs("tmux")``. Where that is missing, it is skipped with the line that says what to install;
where CI is set, it fails.
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
"""What tests need -> the package that has it on Debian and Ubuntu."""


def find(tool: str) -> str | None:
    """Where a program is, or None; also where only root's PATH leads, as that of sshd."""
    return shutil.which(
        tool, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    )


def missing(tools: Iterable[str] = PACKAGES) -> list[str]:
    """Those of ``tools`` that are not here."""
    return [tool for tool in tools if not (_knows_locale() if tool == LOCALE else find(tool))]


def advice(tools: Iterable[str]) -> str:
    """One line: what is missing and how to install it."""
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
