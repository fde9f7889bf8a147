"""How much of anything one request may take. All of it in one place."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on connections, time, size and repetition. Seconds and bytes."""

    connections: int = 16
    """At once. httpx slows down beyond 16, and the platform never said how many it likes."""
    keepalive: float = 4.0
    """How long an idle connection is kept. Shorter than servers do (5 s is common), because a request
    on a connection that the other side is just closing has an unknown outcome."""
    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 30.0
    deadline: float = 120.0
    """For a whole exchange, so that an answer trickling in byte by byte ends some time."""
    tree_deadline: float = 600.0
    body: int = 4 * 2**20
    """Decompressed (and compressed) size of an answer."""
    tree_body: int = 250_000_000
    """The same for a group tree: 33,000 servers with details are about 100 MB."""
    memory: int = 350_000_000
    """For all answers together: those that arrive, what is made of them, and the servers that are kept.
    With the program itself that is less than 400 MB. 200,000 servers fit, of which 100,000 are read again."""
    parts: int = 500_000
    """JSON objects, arrays and further values in an answer that is no group tree."""
    data_centers: int = 200
    depth: int = 100
    """Levels of groups in a tree."""
    groups: int = 50_000
    """In a tree."""
    servers: int = 500_000
    """In one group."""
    server_body: int = 256 * 1024
    """Of one server in a tree: most have about 3 kB."""
    strays: int = 10_000
    """Entries in a tree's lists that are no servers and no groups."""
    error_body: int = 256 * 1024
    """The most of a refusal that is searched for a message."""
    tries: int = 3
    """How often a reading, or an operation that provably was not received, is attempted in all."""
    tries_when_limited: int = 6
    """The same where the endpoint only asked for a pause."""
    renewals: int = 3
    """How often one request may be refused for its token and repeated with a newer one."""
    backoff: float = 0.5
    """The first pause between tries; doubled each time, at most ``backoff_max``, with jitter."""
    backoff_max: float = 8.0
    longest_wait: float = 300.0
    """A longer Retry-After is cut to this. After that the request is tried once, then the caller is told."""
    relogin_pause: float = 30.0
    """After a login from memory that got no clear answer, none is tried for so long."""


DEFAULT = Limits()
