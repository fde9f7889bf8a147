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
    tree_body: int = 400_000_000
    """The same for a group tree: 33,000 servers with details are about 100 MB."""
    depth: int = 100
    """Levels of groups in a tree."""
    groups: int = 50_000
    """In a tree."""
    objects: int = 8_000_000
    """JSON objects and arrays in one answer: a server has about 40."""
    values: int = 16_000_000
    """Values of any kind in a group tree: a server has about 100."""
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
