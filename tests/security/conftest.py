"""The command line in this process, for the tests that need it many times over."""

from tests.headless.conftest import home, pitstop

__all__ = ["home", "pitstop"]
