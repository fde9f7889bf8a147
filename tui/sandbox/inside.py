"""A sandbox in the process of its client, behind an httpx transport instead of a port."""

from typing import TYPE_CHECKING

from tui.sandbox.config import SandboxConfig

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette


class Inside:
    """Makes transports to one sandbox, which is created at the first call."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._app: Starlette | None = None

    def __call__(self) -> "httpx.AsyncBaseTransport":
        """A new transport to the sandbox."""
        import httpx

        from tui.sandbox.app import create_app

        if self._app is None:
            self._app = create_app(self._config)
        return httpx.ASGITransport(self._app)
