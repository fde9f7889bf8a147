"""The server's side of the v2 contract: HTTP, shapes, error bodies, roles. It knows no fleet.

What stands behind it is a `protocol.ControlPlane`, which gives views of a fleet and takes operations. It
imports nothing from the rest of Pitstop, so that a misreading of the wire in the client is not repeated on
the other side.

- `protocol`, `views`, `accounts`: what a control plane must offer
- `readings`: what it may offer besides
- `routes`: every call of the contract, in one table; its parts are `actions`, `resources`,
  `center_resources`, `policies` and `measures`
- `app`: the table as an ASGI application
- `openapi`: the table as an OpenAPI document
- `shapes`, `resource_shapes`: the JSON of answers and bodies, as types
"""
