"""Data centers and their groups."""

import msgspec


class DataCenter(msgspec.Struct, frozen=True):
    """A data center and its root group. ``id`` is upper case ("WA1")."""

    id: str
    name: str = ""
    root_group_id: str = ""


class Group(msgspec.Struct, frozen=True):
    """A group. ``parent_id`` is None for the root group of a data center ("WA1 Hardware")."""

    id: str
    name: str
    data_center: str
    parent_id: str | None = None
    path: str = ""
    """The names from below the root, joined by slashes ("Web/Prod"); the root has its own name."""
    description: str = ""
    kind: str = "default"
    """default, archive or templates."""
