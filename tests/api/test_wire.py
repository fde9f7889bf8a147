"""Decoding of answers: as the platform sends them, and broken ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api import shapes
from tests.api.shapes import group, server
from tui.api import trees, wire
from tui.api.errors import Malformed, Oversized
from tui.api.limits import Limits
from tui.api.secret import Secret
from tui.model.group import DataCenter
from tui.model.server import Disk, IpAddress, Server

WA1 = DataCenter("WA1", "WA1 - Seattle", "a0")


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def tree_of(value: Any, **bounds: int) -> wire.Tree:
    return trees.group_tree(encode(value), WA1, Limits(**bounds))


def server_of(value: Any) -> Server:
    """The server that an entity in a tree is decoded to."""
    (found,) = tree_of(group("a0", "WA1 Hardware", servers=[value])).servers
    return found


# --- recorded shapes -----------------------------------------------------------------------------------


def test_a_tree_is_decoded_to_groups_and_servers() -> None:
    groups, servers = tree_of(shapes.tree())
    assert [(one.id, one.path, one.parent_id, one.kind) for one in groups] == [
        ("a0", "WA1 Hardware", None, "default"),
        ("b0", "Archive", "a0", "archive"),
        ("c0", "Templates", "a0", "templates"),
        ("d0", "Web", "a0", "default"),
        ("e0", "Web/Prod", "d0", "default"),
    ]
    assert {one.data_center for one in groups} == {"WA1"}
    assert [(one.id, one.group_id, one.status, one.power, one.maintenance) for one in servers] == [
        ("WA1ACMEOLD01", "b0", "archived", "stopped", None),
        ("WA1ACMETMPL01", "c0", "active", "started", False),
        ("WA1ACMEWEB01", "d0", "active", "started", False),
        ("WA1ACMENEW01", "d0", "underConstruction", None, None),
        ("WA1ACMEWEB02", "e0", "active", "started", False),
        ("WA1ACMEDB03", "e0", "active", "paused", True),
    ]


def test_every_field_that_a_row_can_show_is_kept() -> None:
    assert server_of(server()) == Server(
        id="WA1ACMEWEB01",
        name="WA1ACMEWEB01",
        group_id="a0",
        data_center="WA1",
        status="active",
        power="started",
        maintenance=False,
        os="windows2012_64Bit",
        cpu=2,
        memory_mb=4096,
        storage_gb=60,
        ip="10.82.131.44 91.14.111.101 10.82.131.45",
        description="web front",
        modified="2014-05-16T23:49:25Z",
        modified_by="jane@acme",
        kind="standard",
        is_template=False,
        public_ip=True,
    )


@pytest.mark.parametrize(
    ("addresses", "public"),
    [
        ([{"internal": "10.0.0.1"}], False),
        ([{"internal": "10.0.0.1", "public": ""}], False),
        ([{"internal": "10.0.0.1"}, {"internal": "10.0.0.2", "public": "91.14.111.101"}], True),
        ([{"public": "91.14.111.101"}], True),
        ([], False),
        (None, False),
    ],
)
def test_whether_a_server_has_a_public_address_is_kept(addresses: Any, public: bool) -> None:
    entity = server()
    entity["details"]["ipAddresses"] = addresses
    assert server_of(entity).public_ip is public


def test_texts_that_servers_share_are_kept_once() -> None:
    _, servers = tree_of(group("a0", "x", servers=[server("WA1ACMEWEB01"), server("WA1ACMEWEB02")]))
    first, second = servers
    for field in ("group_id", "data_center", "status", "power", "os", "kind", "modified_by"):
        assert getattr(first, field) is getattr(second, field), field
    assert first.id is first.name


def test_server_details_are_decoded_completely() -> None:
    body = encode(server())
    details = trees.server(body)
    assert details.server.id == "WA1ACMEWEB01"
    assert details.server.group_id == "2a5c0b9662cf4fc8bf6180f139facdc0"
    assert details.host_name == "wa1acmeweb01.example"
    assert details.ips == (IpAddress("10.82.131.44", "91.14.111.101"), IpAddress("10.82.131.45", ""))
    assert details.alert_policies == ("CPU high",)
    assert details.snapshots == ("2014-05-16.23:45:52",)
    assert details.disks == (Disk("0:0", 60, ("C:", "D:")),)
    assert details.custom_fields == (("Owner", "Team Blue"),)
    assert details.raw == body


def test_a_server_decodes_the_same_alone_and_in_a_tree() -> None:
    for entity in (server(), shapes.archived(), shapes.building(), shapes.paused()):
        single = trees.server(encode(entity | {"groupId": "a0"})).server
        assert single == server_of(entity)


def test_data_centers_are_decoded_with_their_root_groups() -> None:
    assert wire.data_centers(encode(shapes.data_centers())) == [
        DataCenter("WA1", "WA1 - Somewhere", "a0"),
        DataCenter("DE1", "DE1 - Somewhere", "f0"),
    ]
    assert wire.data_centers(b"[]") == []
    assert wire.data_centers(b"null") == []


def test_the_root_group_id_may_come_from_the_href_alone() -> None:
    body = shapes.data_centers()
    body[0]["links"] = [{"REL": "Group", "HREF": "https://evil.test/v2/groups/acme/0A1B?x=1"}]
    body[1]["links"] = [{"rel": "group", "href": "https://evil.test/.."}]
    assert [one.root_group_id for one in wire.data_centers(encode(body))] == ["0a1b", ""]


def test_the_answers_to_an_operation_are_decoded() -> None:
    assert wire.answers(encode(shapes.answers())) == [
        wire.Answer("WA1ACMEWEB02", True, "wa1-12345"),
        wire.Answer("WA1ACMEWEB01", True, "wa1-12345"),
        wire.Answer("WA1ACMEOLD01", False, "", "The operation cannot be queued."),
    ]


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({"server": "a1", "isQueued": False}, wire.Answer("A1", False, "", wire.NO_REASON)),
        (
            {"server": "a1", "isQueued": False, "errorMessage": None},
            wire.Answer("A1", False, "", wire.NO_REASON),
        ),
        ({"Server": "a1", "IsQueued": "false", "ErrorMessage": "No."}, wire.Answer("A1", False, "", "No.")),
        ({"server": "a1", "isQueued": "True", "links": None}, wire.Answer("A1", True)),
        ({"server": "a1", "errorMessage": "No."}, wire.Answer("A1", False, "", "No.")),
        ({"server": "a1", "links": [{"rel": "status", "id": "wa1-1"}]}, wire.Answer("A1", True, "wa1-1")),
        ({"server": "a1", "isQueued": True, "links": [{"rel": "self", "id": "x"}]}, wire.Answer("A1", True)),
        (
            {"server": "a1", "isQueued": True, "links": [{"rel": "status", "href": "/v2/x/status/wa1-7"}]},
            wire.Answer("A1", True, "wa1-7"),
        ),
    ],
)
def test_answers_with_missing_fields_are_decoded(entity: Any, expected: wire.Answer) -> None:
    assert wire.answers(encode([entity])) == [expected]
    assert wire.answers(encode(entity)) == [expected]


@pytest.mark.parametrize(
    "entity", [{}, None, "a1", {"server": "a1"}, {"isQueued": True}, {"server": "a/b", "isQueued": True}]
)
def test_an_answer_without_a_server_or_a_result_is_skipped(entity: Any) -> None:
    assert wire.answers(encode([entity, *shapes.answers()])) == wire.answers(encode(shapes.answers()))


def test_a_server_answered_twice_is_queued_if_one_answer_says_so() -> None:
    link = {"rel": "status", "id": "wa1-1"}
    body = [{"server": "a1", "isQueued": False}, {"server": "A1", "isQueued": True, "links": [link]}]
    assert wire.answers(encode(body)) == [wire.Answer("A1", True, "wa1-1")]
    assert wire.answers(encode(body[::-1])) == [wire.Answer("A1", True, "wa1-1")]


def test_a_long_job_status_is_cut() -> None:
    assert len(wire.job_status(encode({"status": 4_000 * "w"}))) == wire.STATUS_LIMIT


@pytest.mark.parametrize("word", ["succeeded", "notStarted", "someNewWord"])
def test_a_job_status_is_passed_on_unchanged(word: str) -> None:
    assert wire.job_status(encode({"status": word})) == word
    assert wire.job_status(encode({"Status": word})) == word


def test_a_login_answer_is_decoded() -> None:
    found = wire.login(encode(shapes.session() | {"accountAlias": "acme", "extra": [1]}))
    assert found is not None
    session, token = found
    assert session == wire.LoginAnswer("demo@acme", "ACME", ("ServerAdmin",), "WA1")
    assert token.reveal() == shapes.session()["bearerToken"]
    assert "eyJ" not in repr(found)


def test_a_login_answer_with_missing_fields_is_decoded() -> None:
    found = wire.login(encode({"BearerToken": "abc", "roles": None}))
    assert found is not None
    assert found[0] == wire.LoginAnswer("", "", (), "")


@pytest.mark.parametrize("token", [None, "", " ", "a b", "a\nb", "é", 7, ["x"], "x" * 20_000])
def test_a_login_answer_without_a_usable_token_is_none(token: Any) -> None:
    assert wire.login(encode({"bearerToken": token})) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Something bad", "Something bad"),
        ({"message": "Nope."}, "Nope."),
        ({"Message": "Nope."}, "Nope."),
        (
            {
                "message": "The request is invalid.",
                "modelState": {"body.id": ["Id is required.", "Id is bad."]},
            },
            "The request is invalid. Id is required. Id is bad.",
        ),
        ({"error": "Nope"}, "Nope"),
        ({"error": "Nope", "validationMessages": ["too long", {"x": 1}, None]}, "Nope too long"),
        (
            {"message": "An error has occurred.", "exceptionMessage": "Boom", "stackTrace": "at X"},
            "An error has occurred. Boom",
        ),
        ([{"server": "a1", "isQueued": False, "errorMessage": "Cannot."}], "Cannot."),
        ({"message": "\x1b[31mred\x1b[0m\r\n\u202eevil"}, "\ufffd[31mred\ufffd[0m \ufffdevil"),
        ({"message": "x" * 1000}, "x" * 299 + "…"),
        ({"message": ["a"]}, ""),
        ({}, ""),
        ([], ""),
        (None, ""),
        (7, ""),
    ],
)
def test_the_message_of_an_error_is_found_in_each_shape(body: Any, message: str) -> None:
    assert wire.error_message(encode(body)) == message


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"message": "cut', b"\xff\xfe", b"[" * 5000, b'"' + b"x" * 10**6]
)
def test_an_error_body_without_a_message_gives_an_empty_text(body: bytes) -> None:
    assert wire.error_message(body) == ""


# --- what is sent -----------------------------------------------------------------------------------------


def test_request_bodies_match_the_documentation() -> None:
    assert wire.operation_request(["a1", "B2", "A1"]) == b'["A1","B2"]'
    request = wire.login_request("demo", Secret('p"w\u00e9'))
    assert json.loads(request.reveal()) == {"username": "demo", "password": 'p"w\u00e9'}


# --- invalid bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"name": None}, "name", "WA1ACMEWEB01"),
        ({"name": 7}, "name", "7"),
        ({"description": None}, "description", ""),
        ({"description": ["x"]}, "description", ""),
        ({"description": "a\x1b[2Jb"}, "description", "a\ufffd[2Jb"),
        ({"status": None}, "status", ""),
        ({"locationId": "wa1"}, "data_center", "WA1"),
        ({"locationId": None}, "data_center", "WA1"),
        ({"isTemplate": "true"}, "is_template", True),
        ({"isTemplate": None}, "is_template", False),
        ({"details": None}, "cpu", None),
        ({"details": []}, "cpu", None),
        ({"details": {"cpu": "4"}}, "cpu", 4),
        ({"details": {"cpu": 4.0}}, "cpu", 4),
        ({"details": {"cpu": "4.0"}}, "cpu", 4),
        ({"details": {"cpu": "many"}}, "cpu", None),
        ({"details": {"cpu": -1}}, "cpu", None),
        ({"details": {"cpu": 10**400}}, "cpu", None),
        ({"details": {"memoryMB": 4096.5}}, "memory_mb", 4096),
        ({"details": {"inMaintenanceMode": "True"}}, "maintenance", True),
        ({"details": {"inMaintenanceMode": "maybe"}}, "maintenance", None),
        ({"details": {"inMaintenanceMode": 1}}, "maintenance", True),
        ({"details": {"InMaintenanceMode": True, "cpu": {}}}, "maintenance", True),
        ({"details": {"powerState": ""}}, "power", None),
        ({"details": {"ipAddresses": None}}, "ip", ""),
        ({"details": {"ipAddresses": [{"internal": None, "public": "1.2.3.4"}, {}]}}, "ip", "1.2.3.4"),
        ({"details": {"ipAddresses": ["10.0.0.1", 7, None]}}, "ip", "10.0.0.1 7"),
        ({"changeInfo": "yesterday"}, "modified", ""),
        ({"type": {"x": 1}}, "kind", ""),
    ],
)
def test_an_invalid_field_does_not_affect_the_others(changes: Any, field: str, expected: Any) -> None:
    entity = server() | {"groupId": "a0"} | changes
    found = server_of(entity)
    assert getattr(found, field) == expected
    assert found.id == "WA1ACMEWEB01"
    single = trees.server(encode(entity)).server
    assert getattr(single, field) == expected


@pytest.mark.parametrize(
    "entity",
    [
        None,
        7,
        "x",
        [],
        {},
        {"id": None},
        {"id": ""},
        {"id": "../x"},
        {"id": "a b"},
        {"id": ["x"]},
        {"name": "X"},
    ],
)
def test_an_entity_without_a_usable_id_is_dropped_alone(entity: Any) -> None:
    tree = group("a0", "x", servers=[server("WA1A01"), entity, server("WA1A02")], groups=[None, 7, entity])
    assert [one.id for one in tree_of(tree).servers] == ["WA1A01", "WA1A02"]
    with pytest.raises(Malformed):
        trees.server(encode(entity))


@pytest.mark.parametrize("nothing", [None, {}, "x", 7])
def test_invalid_lists_of_a_group_count_as_empty(nothing: Any) -> None:
    groups, servers = tree_of(group("a0", "x", groups=nothing, servers=nothing))
    assert (len(groups), servers) == (1, ())


def test_servers_of_a_group_without_an_id_belong_to_the_group_above() -> None:
    tree = group("a0", "x", groups=[group("", "?", servers=[server()], groups=[group("b0", "Web")])])
    groups, servers = tree_of(tree)
    assert [(one.id, one.parent_id, one.path) for one in groups] == [("a0", None, "x"), ("b0", "a0", "?/Web")]
    assert servers[0].group_id == "a0"


def test_a_group_that_contains_itself_makes_no_cycle() -> None:
    inner = group("A0", "again", servers=[server("WA1A02")], groups=[group("c0", "deep")])
    groups, servers = tree_of(group("a0", "x", groups=[group("b0", "y", groups=[inner])]))
    assert [(one.id, one.parent_id) for one in groups] == [("a0", None), ("b0", "a0"), ("c0", "a0")]
    assert servers[0].group_id == "a0"


def test_keys_are_accepted_with_a_capital_letter() -> None:
    def capitalized(value: Any) -> Any:
        if isinstance(value, dict):
            return {key[0].upper() + key[1:]: capitalized(item) for key, item in value.items()}
        return [capitalized(item) for item in value] if isinstance(value, list) else value

    assert tree_of(capitalized(shapes.tree())) == tree_of(shapes.tree())
    assert wire.data_centers(encode(capitalized(shapes.data_centers()))) == wire.data_centers(
        encode(shapes.data_centers())
    )
    assert wire.answers(encode(capitalized(shapes.answers()))) == wire.answers(encode(shapes.answers()))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (b"web front", b"web\x01front", "web front"),
        (b"web front", b"web\nfront", "web front"),
        (b"web front", b"half \\ud83d", "half \ufffd"),
        (b"web front", b"\\ude00 half", "\ufffd half"),
        (b"web front", b"whole \\ud83d\\ude00", "whole 😀"),
        (b"web front", b"not \\\\ud83d", "not \\ud83d"),
        (b"web front", b"latin \xe9", "latin \ufffd"),
        (b"{", b"\xef\xbb\xbf{", "web front"),
        (b'"isTemplate"', b'"huge": 1e999999, "isTemplate"', "web front"),
        (b'"cpu": 2', b'"cpu": 1e999999', "web front"),
    ],
)
def test_invalid_json_text_affects_that_text_only(old: bytes, new: bytes, shown: str) -> None:
    tree = encode(group("a0", "x", servers=[server("WA1A02", description="other"), server("WA1A01")]))
    found = trees.group_tree(tree.replace(old, new, 1) if old == b"{" else tree.replace(old, new), WA1)
    assert [one.description for one in found.servers] == ["other", shown]


def test_a_tree_can_be_decoded_from_a_bytearray() -> None:
    body = bytearray(encode(shapes.tree()))
    assert trees.group_tree(body, WA1) == tree_of(shapes.tree())
    assert (
        trees.group_tree(body.replace(b'"cpu": 2', b'"cpu": []'), WA1).groups == tree_of(shapes.tree()).groups
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nul",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b'{"id": ""}',
        b"<html></html>",
        b"\xff\xfe{\0}\0",
    ],
)
def test_a_body_that_is_no_tree_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        trees.group_tree(body, WA1)
    assert str(caught.value).isprintable()


def test_a_truncated_tree_is_malformed_at_every_length() -> None:
    body = encode(shapes.tree())
    for length in range(0, len(body), 7):
        with pytest.raises(Malformed):
            trees.group_tree(body[:length], WA1)


# --- bounds -----------------------------------------------------------------------------------------------


def nested(depth: int) -> Any:
    node = group("a0", "x")
    for level in range(depth):
        node = {"id": f"b{level}", "name": "x", "groups": [node]}
    return node


def test_the_depth_of_a_tree_is_limited() -> None:
    assert len(tree_of(nested(50), depth=100).groups) == 51
    with pytest.raises(Oversized, match="levels"):
        tree_of(nested(50), depth=20)
    deep = b'{"id":"a0","groups":[' * 20_000 + b"]}" * 20_000
    with pytest.raises(Oversized, match="nested too deeply"):
        trees.group_tree(deep, WA1)
    with pytest.raises(Oversized, match="nested too deeply"):
        trees.group_tree(b'{"id":"a0","name":' + b"[" * 50_000 + b"]" * 50_000 + b"}", WA1)
    for decode in (trees.server, wire.answers, wire.data_centers, wire.job_status, wire.login):
        with pytest.raises(Malformed):
            decode(b"[" * 50_000 + b"]" * 50_000)


def test_the_number_of_groups_and_entries_is_limited() -> None:
    body = b'{"id":"a0","servers":[' + b"{}," * 5000 + b"{}]}"
    with pytest.raises(Oversized, match="more than 3 groups"):
        tree_of(nested(3), groups=3)
    with pytest.raises(Oversized, match="more than 4,000 entries that are none"):
        trees.group_tree(body, WA1, Limits(strays=4000))


def test_long_group_names_do_not_multiply_in_paths() -> None:
    node = group("leaf", "leaf")
    for level in range(50):
        node = group(f"b{level}", "x" * 4000, groups=[node])
    assert sum(len(one.path) + len(one.name) for one in tree_of(node).groups) < 51 * 1300
