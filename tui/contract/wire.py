"""The building blocks of all entities: JSON, dates, links."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType

from tui.contract.resource_shapes import Number, Text
from tui.contract.shapes import ChangeInfo, Link
from tui.contract.views import Edit

encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=8192)
def _day(days: int) -> str:
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


def date(seconds: float) -> str:
    """A moment as the platform writes it: UTC, whole seconds."""
    days, rest = divmod(int(seconds), 86_400)
    return f"{_day(days)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def change_info(created: Edit, modified: Edit) -> ChangeInfo:
    """Who made and who last changed something."""
    return ChangeInfo(
        created_by=created.by,
        created_date=date(created.at),
        modified_by=modified.by,
        modified_date=date(modified.at),
    )


def link(rel: str, href: str, verbs: str, writable: bool, id: str = "") -> Link:  # noqa: A002 - its name in the JSON
    """A link with verbs; a user who may change nothing gets GET alone."""
    return Link(rel=rel, href=href, id=id or UNSET, verbs=verbs.split(",") if writable else ["GET"])


def number(value: int | None, inherited: bool = False) -> Number | UnsetType:
    """A number that may be unknown."""
    return UNSET if value is None else Number(value=value, inherited=inherited)


def text(value: str | None, inherited: bool) -> Text | UnsetType:
    """A text that may be unknown."""
    return UNSET if value is None else Text(value=value, inherited=inherited)
