"""Invented numbers: networks, defaults, how busy servers are, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from tui.contract.protocol import Network
from tui.contract.readings import Cost, Defaults, Prices, Usage
from tui.contract.views import ServerView
from tui.sandbox import names
from tui.sandbox.fleet import Group
from tui.sandbox.seeds import rng

HOURS_OF_A_MONTH = 720

PRICES = Prices(cpu=0.01, memory_gb=0.015, storage_gb=0.00021)
"""Of every server; memory and CPUs cost while it is started."""


def networks(alias: str, code: str, seed: int) -> list[Network]:
    """Two networks of a data center."""
    chance = rng("networks", alias.upper(), code.upper(), seed)
    vlans = [201 + number * 100 + chance.randrange(100) for number in range(2)]
    return [
        Network(f"{chance.getrandbits(128):032x}", vlan, f"10.{vlan % 128}.{vlan % 250}") for vlan in vlans
    ]


def defaults(group: Group, alias: str, seed: int) -> Defaults:
    """What a new server of a group gets."""
    return Defaults(
        cpu=1,
        memory_gb=2,
        network_id=networks(alias, group.data_center, seed)[0].id,
        primary_dns="203.0.113.2",
        secondary_dns="203.0.113.3",
        template=names.CAPABILITIES.templates[0].name,
        inherited=group.parent is not None,
    )


def usage(server: ServerView, moments: Sequence[float]) -> list[Usage]:
    """How busy a server is: up and down over the day, idle unless it is started."""
    bits = int(server.uuid[:16], 16)
    level, phase, full = bits % 60, bits >> 8 & 63, 20 + (bits >> 16) % 70
    found = []
    for moment in moments:
        swing = (1 + math.sin(math.tau * (moment / 86_400 + phase / 64))) / 2
        busy = 1.0 if server.power == "started" else 0.0
        found.append(
            Usage(
                cpu_percent=round(busy * (1 + level * swing), 2),
                memory_percent=round(busy * (20 + level), 2),
                received_kbps=round(busy * level * swing * 4, 1),
                transmitted_kbps=round(busy * level * swing * 9, 1),
                disk_percent=full,
            )
        )
    return found


def cost(server: ServerView, now: float) -> Cost:
    """What a server costs; an archived one and a template cost their storage."""
    hardware = server.hardware
    if hardware is None:
        return Cost()
    storage = hardware.storage_gb * PRICES.storage_gb
    running = hardware.cpu * PRICES.cpu + hardware.memory_mb / 1024 * PRICES.memory_gb
    hour = storage + (running if server.power == "started" and not server.template else 0)
    today = datetime.fromtimestamp(now, UTC)
    month = round(storage * HOURS_OF_A_MONTH, 2)
    return Cost(
        template=month if server.template else 0.0,
        archive=month if server.status == "archived" else 0.0,
        monthly_estimate=round(hour * HOURS_OF_A_MONTH, 2),
        month_to_date=round(hour * ((today.day - 1) * 24 + today.hour), 2),
        current_hour=round(hour, 5),
    )
