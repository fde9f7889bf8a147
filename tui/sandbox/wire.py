"""The building blocks of all entities: JSON, dates, links."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

Entity = dict[str, Any]

encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=8192)
def _day(days: int) -> str:
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


def date(seconds: float) -> str:
    """A moment as the platform writes it: UTC, whole seconds."""
    days, rest = divmod(int(seconds), 86_400)
    return f"{_day(days)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def raw(value: object) -> msgspec.Raw:
    """Encode a part that many entities share, once."""
    return msgspec.Raw(encode(value))


def link(rel: str, href: str, verbs: str, writable: bool) -> Entity:
    """A link; a user who may change nothing gets the verb GET alone."""
    return {"rel": rel, "href": href, "verbs": verbs.split(",") if writable else ["GET"]}
