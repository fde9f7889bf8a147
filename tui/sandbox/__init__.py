"""A faithful local stand-in for the CenturyLink Cloud v2 control plane.

It implements the contract on its own and imports nothing from the rest of Pitstop, so that a misreading of
the wire in the client is not repeated on the other side. It has no background tasks: the
state of a job or a server at a moment is computed from the clock.

Users `demo` (ServerAdmin) and `viewer` (AccountViewer), password `pitstop`; account `ACME` with the
sub-account `ACMD`. Four wrong passwords in a row lock a user until the sandbox is started anew.

Beside the contract under `/v2` there are three calls for tests and benchmarks. They need no token, meet no
fault and are not counted:

- `GET /__sandbox/requests`: `{"total": N, "by_route": {"GET /v2/operations/{alias}/status/{id}": N, ...},
  "log": [[SECONDS, METHOD, PATH, STATUS], ...]}`, the newest 20,000; seconds since the start, status 0 for a
  request that has no answer (yet)
- `POST /__sandbox/faults` with `{NAME: RATE, ...}` changes the rates of the faults named (see
  `config.FAULTS`) and answers those in force, as `GET` does
- `GET /__sandbox/truth`: the true state of every server, which operations reached it, and all jobs; see
  `plane.SandboxPlane.truth` for its shape

For other code:

- `config.SandboxConfig`: size, seed, times, faults
- `app.create_app(config, clock)`: the ASGI application, for `httpx.ASGITransport` or a server
- `serve.serve(config, host, port, allow_remote)`: the same over HTTP
"""
