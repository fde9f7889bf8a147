"""Small fleets for the tests of the list's model."""

from tui.model.fleet import Fleet
from tui.model.group import DataCenter, Group
from tui.model.server import Server


def make_fleet(*servers: Server, groups: tuple[Group, ...] = (), account: str = "ACME") -> Fleet:
    """A fleet of these servers, by their data centers."""
    fleet = Fleet(account)
    for place in dict.fromkeys(
        [server.data_center for server in servers] + [group.data_center for group in groups]
    ):
        fleet.replace(
            DataCenter(place),
            [group for group in groups if group.data_center == place],
            [server for server in servers if server.data_center == place],
            at=1.0,
        )
    return fleet


GROUPS = (
    Group("root", "WA1 Hardware", "WA1", None, "WA1 Hardware"),
    Group("web", "Web", "WA1", "root", "Web"),
    Group("prod", "Prod", "WA1", "web", "Web/Prod"),
    Group("mail", "Webmail", "WA1", "root", "Webmail"),
    Group("db", "Data Base", "VA1", None, "Data Base"),
)


def some_fleet() -> Fleet:
    """Five servers that differ in every field a filter can test."""
    active = "active"
    return make_fleet(
        Server("WA1ACMEWEB2", "web2", "web", "WA1", active, "started", True, "redHat6", 2, 2048, 10,
               "10.0.0.2"),
        Server("WA1ACMEWEB10", "web10", "prod", "WA1", active, "stopped", False, "ubuntu", 8, 8192, 10,
               "10.0.0.10", "mail relay", "2026-11-20T10:00:00Z"),
        Server("WA1ACMEMAIL1", "mail1", "mail", "WA1", active, "started", False, "ubuntu", 4, 512, 10,
               "10.0.1.1", "(old) a/b", "2026-10-01T10:00:00Z"),
        Server("VA1ACMEDB1", "db1", "db", "VA1", "archived"),
        Server("VA1ACMEDB2", "db2", "db", "VA1", active, "paused", None, "win2012", 16, 131072, 500,
               "10.2.0.1"),
        groups=GROUPS,
    )  # fmt: skip
