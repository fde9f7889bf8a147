"""The bounds of requests and answers, all in one place."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on connections, time (seconds), size (bytes) and repetition."""

    connections: int = 16
    """At once. httpx slows down beyond 16; the platform documents no number."""
    keepalive: float = 4.0
    """How long an idle connection is kept. Servers commonly keep it for 5 s; a request on a connection that
    the server is just closing would have an unknown outcome."""
    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 30.0
    deadline: float = 120.0
    """For a whole exchange, so that an answer that arrives byte by byte ends some time."""
    tree_deadline: float = 600.0
    body: int = 4 * 2**20
    """Decompressed (and compressed) size of an answer."""
    tree_body: int = 250_000_000
    """The same for a group tree: 33,000 servers with details take about 100 MB."""
    memory: int = 350_000_000
    """For all answers together: those that arrive, what is decoded from them, and the servers that are kept.
    With the program itself that is less than 400 MB. It holds 200,000 servers, of which 100,000 are being
    read again."""
    parts: int = 500_000
    """JSON objects, arrays and further values in an answer other than a group tree."""
    data_centers: int = 200
    depth: int = 100
    """Levels of groups in a tree."""
    groups: int = 50_000
    """In a tree."""
    servers: int = 500_000
    """In one group."""
    server_body: int = 256 * 1024
    """For one server in a tree: most have about 3 kB."""
    strays: int = 10_000
    """Entries in a tree's lists that are neither servers nor groups."""
    error_body: int = 256 * 1024
    """The largest error answer that is searched for a message."""
    tries: int = 3
    """Attempts of a read, or of an operation that provably was not received."""
    tries_when_limited: int = 6
    """The same for a read that was answered with 429."""
    renewals: int = 3
    """How often one request may be refused for its token and be repeated with a newer one."""
    backoff: float = 0.5
    """The first pause between tries; doubled each time, at most ``backoff_max``, with jitter."""
    backoff_max: float = 8.0
    longest_wait: float = 300.0
    """A longer Retry-After is cut to this, and the request is then repeated only once."""
    relogin_pause: float = 30.0
    """After a token could not be renewed for another reason than a refusal, no login is sent for so long."""


DEFAULT = Limits()
