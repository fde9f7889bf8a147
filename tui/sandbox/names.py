"""The vocabulary of a plausible fleet: data centers, groups, server names, operating systems."""

from __future__ import annotations

from typing import NamedTuple

from tui.contract.readings import (
    AlertPolicy,
    AntiAffinityPolicy,
    AutoscalePolicy,
    Capabilities,
    Policies,
    Template,
    Trigger,
)
from tui.contract.views import CustomField, Policy

DATA_CENTERS: dict[str, str] = {
    "WA1": "WA1 - US West (Seattle)",
    "CA1": "CA1 - Canada (Vancouver)",
    "CA2": "CA2 - Canada (Toronto)",
    "CA3": "CA3 - Canada (Toronto)",
    "DE1": "DE1 - Germany (Frankfurt)",
    "GB1": "GB1 - Great Britain (Portsmouth)",
    "GB3": "GB3 - Great Britain (Slough)",
    "IL1": "IL1 - US Central (Chicago)",
    "NY1": "NY1 - US East (New York)",
    "SG1": "SG1 - APAC (Singapore)",
    "UC1": "UC1 - US West (Santa Clara)",
    "UT1": "UT1 - US Central (Salt Lake City)",
    "VA1": "VA1 - US East (Sterling)",
}
"""The recorded data centers; the first is the account's primary one."""


class Tier(NamedTuple):
    """One kind of server: the group path under the root, the letters in the name, how common it is."""

    path: tuple[str, ...]
    code: str
    weight: int
    purpose: str


TIERS: tuple[Tier, ...] = (
    Tier(("Web",), "WEB", 24, "web front end"),
    Tier(("App",), "APP", 20, "application server"),
    Tier(("App", "API"), "API", 8, "public API"),
    Tier(("Database",), "DB", 10, "PostgreSQL"),
    Tier(("Database", "SQL Server"), "SQL", 5, "SQL Server"),
    Tier(("Cache",), "RDIS", 5, "Redis"),
    Tier(("Messaging",), "MQ", 5, "message broker"),
    Tier(("Messaging", "Kafka"), "KAFK", 3, "Kafka broker"),
    Tier(("Search",), "SRCH", 4, "search index"),
    Tier(("Infrastructure", "Mail"), "MAIL", 2, "mail relay"),
    Tier(("Infrastructure", "Directory"), "LDAP", 2, "directory"),
    Tier(("Infrastructure", "Monitoring"), "MON", 2, "monitoring"),
    Tier(("Infrastructure", "Backup"), "BKUP", 2, "backup proxy"),
    Tier(("Infrastructure", "Build"), "CI", 3, "build agent"),
    Tier(("Infrastructure", "File Server"), "FILE", 2, "file shares"),
    Tier(("Default Group",), "TEST", 3, "scratch machine"),
)
"""Codes have at most four letters: one for the stage and one for the cell reach the platform's limit."""

STAGES: tuple[tuple[str, str, int], ...] = (("Prod", "", 6), ("Staging", "S", 3), ("Dev", "D", 1))
"""Sub-group, letter in the server's name, weight."""

ARCHIVE_DESCRIPTION = (
    "Pay only for the storage consumed by the archived server. No compute or licensing costs are incurred."
)
TEMPLATES_DESCRIPTION = (
    "Custom templates provide a set of hardware/software settings that can be used repeatedly to create "
    "servers configured with the same settings."
)
"""The recorded texts of the groups that every data center has."""

GROUP_DESCRIPTIONS: tuple[str, ...] = (
    "Owned by the platform team; changes on Tuesdays only",
    "Customer facing. Ask before touching [on-call: shop]",
    "本番環境",
    "Patch window: first Sunday of the month",
)

DESCRIPTIONS: tuple[str, ...] = (
    "{purpose}",
    "{purpose}",
    "{purpose} {stage}, owner: platform team",
    "{purpose} {stage} - do not reboot without asking the DBA",
    "Shop {purpose}",
    "Billing {purpose}, see CHG-{number}",
    "",
    "",
    "",
    "本番 {purpose}（東京）",
    "Zahlungsabwicklung für Österreich, {purpose}",
    "[legacy] {purpose}, to be replaced by Q{quarter}",
    "שרת {purpose} של מחלקת הכספים",
    "{purpose} 🚧 migration under way",
    "{purpose}\nsecond line: rack {number}",
    "cafe\u0301 menu {purpose}",
)
SYSTEMS: tuple[tuple[str, str, bool], ...] = (
    ("CentOS 6 64-bit", "centOS6_64Bit", False),
    ("CentOS 7 64-bit", "centOS7_64Bit", False),
    ("Debian 7 64-bit", "debian7_64Bit", False),
    ("Red Hat Enterprise Linux 6 64-bit", "redHat6_64Bit", False),
    ("Red Hat Enterprise Linux 7 64-bit", "redHat7_64Bit", False),
    ("Ubuntu 12 64-bit", "ubuntu12_64Bit", False),
    ("Ubuntu 14 64-bit", "ubuntu14_64Bit", False),
    ("Windows 2012 Datacenter 64-bit", "windows2012Datacenter_64Bit", True),
    ("Windows 2012 R2 Datacenter 64-bit", "windows2012R2Datacenter_64Bit", True),
    ("Windows 2008 Standard 64-bit", "windows2008Standard_64Bit", True),
)
"""osType, os, whether it is a Windows."""

PEOPLE: tuple[str, ...] = ("j.ortiz", "m.tanaka", "a.schmidt", "p.novak", "l.okafor", "automation")

ALERT_POLICIES: tuple[Policy, ...] = (
    Policy("15836e6219e84ac736d01d4e571bb950", "Production CPU over 90 %"),
    Policy("0ba7b08e51a24b5c8ae29bd6a1b06d37", "Memory over 95 % for 10 minutes"),
    Policy("2bec81dd90aa4217887548c3c20d7421", "Disk almost full"),
)

AUTOSCALE_POLICIES: tuple[Policy, ...] = (Policy("ca38f0ad9de341f6a002857c48402526", "Grow by day"),)

ANTI_AFFINITY_POLICIES: tuple[Policy, ...] = (Policy("87b67bf7aee948dea939f5de2d9b2dc3", "Databases apart"),)

CUSTOM_FIELDS: tuple[tuple[CustomField, str], ...] = (
    (CustomField("22f002123e3b46d9a8b38ecd4c6df7f9", "Cost Center"), "IT-{number}"),
    (CustomField("e0c6bc1bcb1c4ec0b3ab2c1ecb5f8f6d", "Patch Window"), "Sunday {number}:00"),
)
"""Each with the pattern of its values."""

POLICIES = Policies(
    alert=(
        AlertPolicy(*ALERT_POLICIES[0], ("operations@acme.example",), (Trigger("cpu", 5, 90.0),)),
        AlertPolicy(*ALERT_POLICIES[1], ("operations@acme.example",), (Trigger("memory", 10, 95.0),)),
        AlertPolicy(*ALERT_POLICIES[2], ("storage@acme.example",), (Trigger("disk", 15, 90.0),)),
    ),
    autoscale=(AutoscalePolicy(*AUTOSCALE_POLICIES[0], 15, 1, 2, 6, 85, 15, ("02:00", "04:00")),),
    anti_affinity=(AntiAffinityPolicy(*ANTI_AFFINITY_POLICIES[0], "WA1"),),
)
"""The same policies with what they say."""

CAPABILITIES = Capabilities(
    templates=tuple(
        Template(name, code, description, storage, windows, ("cpuAutoscale",))
        for name, code, description, storage, windows in (
            ("CENTOS-6-64-TEMPLATE", "centOS6_64Bit", "CentOS 6 | 64-bit", 17, False),
            ("CENTOS-7-64-TEMPLATE", "centOS7_64Bit", "CentOS 7 | 64-bit", 17, False),
            ("DEBIAN-7-64-TEMPLATE", "debian7_64Bit", "Debian 7 | 64-bit", 17, False),
            ("RHEL-7-64-TEMPLATE", "redHat7_64Bit", "Red Hat Enterprise Linux 7 | 64-bit", 17, False),
            ("UBUNTU-14-64-TEMPLATE", "ubuntu14_64Bit", "Ubuntu 14 | 64-bit", 17, False),
            ("WIN2012R2DTC-64", "windows2012R2Datacenter_64Bit", "Windows 2012 R2 Datacenter", 60, True),
        )
    ),
    premium_storage=True,
    load_balancers=True,
    cpu=4000,
    memory_gb=16_000,
    storage_gb=500_000,
    networks=10,
)
"""What every data center offers."""
