"""The description of one server."""

from tests.model.fleets import some_fleet
from tui.model.describe import Fact, ServerOperation, describe, raw_lines
from tui.model.operation import Action, State, Target
from tui.model.server import Disk, IpAddress, Server, ServerDetails

FLEET = some_fleet()
SERVER = FLEET.servers["WA1ACMEWEB2"]


def test_unknown_fields_are_left_out() -> None:
    facts = {fact.label: fact.value for fact in describe(SERVER, {"web": "Web"})}
    assert facts["group"] == "Web"
    assert facts["maintenance"] == "on"
    assert facts["memory"] == "2 GB"
    assert "description" not in facts
    assert [fact for fact in describe(SERVER, {}) if fact.maintenance] == [
        Fact("maintenance", "on", None, True)
    ]


def test_actions_of_this_console_are_described() -> None:
    operations = [
        ServerOperation(Action.STOP_MAINTENANCE, Target(SERVER.id, State.REFUSED, message="locked"), "12:04"),
        ServerOperation(Action.PAUSE, Target(SERVER.id, State.VERIFIED), "11:00"),
    ]
    assert describe(SERVER, {}, None, operations)[1:5] == [
        Fact("End maintenance"),
        Fact("", "⊘ refused 12:04 locked", State.REFUSED),
        Fact("Pause"),
        Fact("", "✓ verified 11:00", State.VERIFIED),
    ]


def test_details_add_their_own_facts() -> None:
    details = ServerDetails(
        SERVER, "web2.local", (IpAddress("10.0.0.2", "64.1.2.3"),), ("cpu high",), ("WEB2.2026",),
        (Disk("0:0", 50, ("/", "/var")),), (("Owner", "ops"),),
    )  # fmt: skip
    plain = describe(SERVER, {}, ServerDetails(SERVER))
    assert plain == describe(SERVER, {})
    assert describe(SERVER, {}, details)[len(plain) :] == [
        Fact("host name", "web2.local"),
        Fact("Addresses"), Fact("", "10.0.0.2  public 64.1.2.3"),
        Fact("Disks"), Fact("", "0:0  50 GB / /var"),
        Fact("Alert policies"), Fact("", "cpu high"),
        Fact("Snapshots"), Fact("", "WEB2.2026"),
        Fact("Custom fields"), Fact("", "Owner  ops"),
    ]  # fmt: skip


def test_the_raw_answer_is_shown_even_if_it_is_not_json() -> None:
    assert raw_lines(ServerDetails(Server("X"), raw=b'{"a":[1,"\xc3\xa9"]}'))[1:4] == [
        '  "a": [',
        "    1,",
        '    "é"',
    ]
    assert raw_lines(ServerDetails(Server("X"), raw=b"<html>\n\xff")) == ["<html>", "\ufffd"]


def test_a_server_is_described_line_by_line() -> None:
    server = Server(
        "WA1ACMEDB7",
        name="wa1acmedb7",
        group_id="g7",
        data_center="WA1",
        status="active",
        power="paused",
        maintenance=True,
        os="Debian 12",
        cpu=4,
        memory_mb=8192,
        storage_gb=250,
        ip="10.1.2.3",
        description="orders",
        modified="2026-11-01T10:00:00Z",
        modified_by="eve",
        kind="standard",
        is_template=True,
    )
    details = ServerDetails(
        server,
        "db7.local",
        (IpAddress("10.1.2.3", ""), IpAddress("", "64.9.9.9")),
        disks=(Disk("0:0", 9, ()),),
    )
    assert describe(server, {"g7": "Prod/DB"}, details) == [
        Fact("WA1ACMEDB7"),
        Fact("name", "wa1acmedb7"),
        Fact("group", "Prod/DB"),
        Fact("data center", "WA1"),
        Fact("maintenance", "on", None, True),
        Fact("power", "paused"),
        Fact("status", "active"),
        Fact("os", "Debian 12"),
        Fact("cpu", "4"),
        Fact("memory", "8 GB"),
        Fact("storage", "250 GB"),
        Fact("address", "10.1.2.3"),
        Fact("description", "orders"),
        Fact("kind", "standard template"),
        Fact("changed", "2026-11-01T10:00:00Z by eve"),
        Fact("host name", "db7.local"),
        Fact("Addresses"),
        Fact("", "10.1.2.3"),
        Fact("", "-  public 64.9.9.9"),
        Fact("Disks"),
        Fact("", "0:0  9 GB"),
    ]
    assert describe(Server("X"), {}) == [Fact("X"), Fact("maintenance", "-"), Fact("power", "-")]
