"""The fixtures that run the command line in this process, which is fast enough for many examples."""

from tests.headless.conftest import home, pitstop

__all__ = ["home", "pitstop"]
