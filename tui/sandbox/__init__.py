"""A faithful local stand-in for the CenturyLink Cloud v2 control plane.

It implements the contract on its own and imports nothing from the rest of Pitstop, so that a misreading of
the wire in the client is not repeated on the other side. Nothing runs in its background: what a job or a
server is at a moment is computed from the clock it was given.

- `config.SandboxConfig`: size, seed, times, faults
- `app.create_app(config, clock)`: the ASGI application, for `httpx.ASGITransport` or a server
- `serve.serve(config, host, port, allow_remote)`: the same over HTTP
"""
