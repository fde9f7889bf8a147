"""The calls that read statistics and costs, of servers and of groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import reduce

from tui.contract import entities
from tui.contract import resource_shapes as shapes
from tui.contract.bodies import Invalid
from tui.contract.calls import Answer, Call, Route, answer, in_pieces
from tui.contract.readings import Cost, Usage
from tui.contract.views import GroupView, Hardware, ServerView
from tui.contract.wire import date, encode

TYPES = {"latest": (0.0, 0.0), "hourly": (86_400.0, 3600.0), "realtime": (14_400.0, 300.0)}
"""Type -> how far it goes back by default, and its least and default interval; in seconds."""

LATEST_AGE = 240
"""How old the latest sample is, in seconds, as recorded."""

KEPT = 14 * 86_400
"""How long statistics are kept, in seconds."""

MOST_SAMPLES = 300_000
"""The most samples of one answer."""

QUERY = ("type", "start", "end", "sampleInterval")


async def _server_statistics(call: Call) -> Answer:
    server = await call.server()
    kind, moments = _moments(call)
    return answer(200, await anext(_statistics(call, [server], kind, moments)))


async def _group_statistics(call: Call) -> Answer:
    """Read how busy the active servers of a group are, and of those below it."""
    servers = [server for server in entities.servers_under(await call.group()) if _is_measured(server)]
    kind, moments = _moments(call)
    if len(servers) * len(moments) > MOST_SAMPLES:
        raise Invalid("sampleInterval", f"These are more than {MOST_SAMPLES:,} samples.")
    parts = [encode(one) async for one in _statistics(call, servers, kind, moments)]
    return Answer(200, b"[" + b",".join(parts) + b"]")


def _is_measured(server: ServerView) -> bool:
    return server.status == "active" and not server.template


async def _statistics(
    call: Call, servers: Sequence[ServerView], kind: str, moments: Sequence[float]
) -> AsyncIterator[shapes.Statistics]:
    """One entity per server; as recorded, its name is in upper case for the latest sample alone."""
    async for some in in_pieces(servers):
        usages = await call.plane.usage(call.alias, [one for one in some if _is_measured(one)], moments)
        for server in some:
            hardware = server.hardware
            stats = [
                _sample(hardware, moment, usage)
                for moment, usage in zip(moments, usages.get(server.id, ()), strict=False)
                if hardware is not None
            ]
            yield shapes.Statistics(name=server.id if kind == "latest" else server.id.lower(), stats=stats)


def _sample(hardware: Hardware, moment: float, usage: Usage) -> shapes.Sample:
    return shapes.Sample(
        timestamp=date(moment),
        cpu=float(hardware.cpu),
        cpu_percent=usage.cpu_percent,
        memory_mb=float(hardware.memory_mb),
        memory_percent=usage.memory_percent,
        network_received_kbps=usage.received_kbps,
        network_transmitted_kbps=usage.transmitted_kbps,
        disk_usage_total_capacity_mb=sum(hardware.disks) * 1024.0,
        disk_usage=[
            shapes.DiskUsage(id=f"0:{number}", capacity_mb=size * 1024)
            for number, size in enumerate(hardware.disks)
        ],
        guest_disk_usage=[
            shapes.GuestDiskUsage(
                path=partition.path,
                capacity_mb=int(partition.size_gb * 1024),
                consumed_mb=int(partition.size_gb * 1024 * usage.disk_percent / 100),
            )
            for partition in hardware.partitions
            if partition.size_gb
        ],
    )


def _moments(call: Call) -> tuple[str, list[float]]:
    """The type of the statistics and their moments, from `type`, `start`, `end` and `sampleInterval`.

    Without a type it is latest, or hourly where there is a start. The platform's documents require a start
    and an interval but for latest; here they default to the last day by the hour, and for realtime to the
    last four hours by five minutes.

    Raises:
        Invalid: there are no such statistics.
    """
    query = call.query
    kind = query.get("type", "hourly" if "start" in query else "latest").lower()
    if kind not in TYPES:
        raise Invalid("type", "The type is latest, hourly or realtime.")
    now = float(int(call.plane.clock()))
    if kind == "latest":
        return kind, [now - LATEST_AGE]
    back, least = TYPES[kind]
    end = min(_moment("end", query["end"]) if "end" in query else now, now)
    oldest = now - (KEPT if kind == "hourly" else back)
    start = _moment("start", query["start"]) if "start" in query else max(oldest, end - back)
    interval = _interval(query["sampleinterval"]) if "sampleinterval" in query else least
    if interval < least:
        raise Invalid("sampleInterval", f"The least interval of {kind} is {int(least)} seconds.")
    if start < oldest or start + interval > end:
        raise Invalid("start", "From start to end there has to be an interval, of the time that is kept.")
    return kind, [start + number * interval for number in range(int((end - start) // interval) + 1)]


def _moment(field: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(field, "A time such as 2026-01-31T12:00:00Z is required.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _interval(text: str) -> float:
    """Seconds of days:hours:minutes:seconds, of which the first ones may be left out."""
    parts = text.split(":")
    if not 2 <= len(parts) <= 4 or not all(part.isdecimal() and len(part) < 4 for part in parts):
        raise Invalid("sampleInterval", "An interval such as 01:00:00 is required.")
    days, rest = (int(parts[0]), parts[1:]) if len(parts) == 4 else (0, parts)
    return float(days * 86_400 + reduce(lambda total, part: total * 60 + int(part), rest, 0))


async def _group_billing(call: Call) -> Answer:
    """Read what the servers of a group cost, and of those below it."""
    group = await call.group()
    tree = _tree(group)
    groups = {one.id: shapes.GroupCosts(name=one.name, servers={}) for one in tree}
    async for some in in_pieces([(groups[one.id].servers, server) for one in tree for server in one.servers]):
        costs = await call.plane.costs(call.alias, [server for _, server in some])
        for servers, server in some:
            servers[server.id.lower()] = _cost(costs.get(server.id, Cost()))
    billing = shapes.Billing(date=date(call.plane.clock()), groups=groups)
    return answer(200, billing)._replace(cached=True)


async def _server_pricing(call: Call) -> Answer:
    """Read what the parts of a server cost. The platform's own answer was never recorded."""
    prices = await call.plane.prices(call.alias, (await call.server()).id)
    entity = shapes.Prices(
        cpu=prices.cpu,
        memory_gb=prices.memory_gb,
        storage_gb=prices.storage_gb,
        managed_os=prices.managed_os,
    )
    return answer(200, entity)


def _tree(group: GroupView) -> list[GroupView]:
    """A group and all below it."""
    return [group, *(one for child in group.groups for one in _tree(child))]


def _cost(cost: Cost) -> shapes.Cost:
    return shapes.Cost(
        template_cost=cost.template,
        archive_cost=cost.archive,
        monthly_estimate=cost.monthly_estimate,
        month_to_date=cost.month_to_date,
        current_hour=cost.current_hour,
    )


MEASURES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v2/groups/{alias}/{id}/statistics",
        _group_statistics,
        "Read the statistics of a group's servers",
        list[shapes.Statistics],
        query=QUERY,
    ),
    Route("GET", "/v2/groups/{alias}/{id}/billing", _group_billing, "Read a group's costs", shapes.Billing),
    Route(
        "GET",
        "/v2/servers/{alias}/{id}/statistics",
        _server_statistics,
        "Read the statistics of a server",
        shapes.Statistics,
        query=QUERY,
    ),
    Route(
        "GET",
        "/v2/billing/{alias}/serverPricing/{id}",
        _server_pricing,
        "Read what the parts of a server cost",
        shapes.Prices,
    ),
)
