"""Data centers and the groups below them."""

import msgspec


class DataCenter(msgspec.Struct, frozen=True):
    """A data center and its root group. ``id`` is upper case ("WA1")."""

    id: str
    name: str = ""
    root_group_id: str = ""


class Group(msgspec.Struct, frozen=True):
    """One group. ``parent_id`` is None on the root group of a data center ("WA1 Hardware")."""

    id: str
    name: str
    data_center: str
    parent_id: str | None = None
    path: str = ""
    """Names from below the root, joined by slashes ("Web/Prod"); the root's own name on the root."""
    description: str = ""
    kind: str = "default"
    """default, archive or templates."""
