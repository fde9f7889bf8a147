"""Any damaged body decodes to a value or raises a typed error."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.api import shapes
from tui.api import trees, wire
from tui.api.errors import ApiError
from tui.api.limits import Limits
from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.server import Server

WA1 = DataCenter("WA1", "WA1 - Seattle", "a0")
LIMITS = Limits(parts=5000, strays=500, depth=20)
DECODERS: dict[str, tuple[Callable[[], Any], Callable[[bytes], object]]] = {
    "tree": (shapes.tree, lambda body: trees.group_tree(body, WA1, LIMITS)),
    "server": (shapes.server, lambda body: trees.server(body, LIMITS)),
    "data centers": (shapes.data_centers, wire.data_centers),
    "answers": (shapes.answers, wire.answers),
    "status": (lambda: {"status": "executing"}, wire.job_status),
    "login": (shapes.session, wire.login),
    "refusal": (lambda: {"message": "No.", "modelState": {"id": ["bad"]}}, wire.error_message),
}

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF), max_size=12)
    | st.sampled_from(["..", "a/b", "\x1b[2J", "\u202e", "true", "NaN", "1e999", "-0", "x" * 5000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def locations(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found.append((value, key))
        found.extend(locations(item))
    return found


def change(value: Any, rng: random.Random, junk: list[Any]) -> Any:
    """Drop, double, rename, wrap or replace some entries of ``value``, one for each of ``junk``."""
    for item in junk:
        if not (candidates := locations(value)):
            return item
        container, key = rng.choice(candidates)
        match rng.randrange(6):
            case 0:
                del container[key]
            case 1 if isinstance(container, dict):
                container[rng.choice([key.upper(), key.lower(), key + " ", key.title()])] = container.pop(key)
            case 2:
                container[key] = [container[key]]
            case 3 if isinstance(container, list):
                container.append(json.loads(json.dumps(container[key])))
            case _:
                container[key] = item
    return value


def all_text(value: object) -> list[str]:
    """Every string in a decoded value, except raw answers."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple | list):
        return [text for item in value for text in all_text(item)]
    if isinstance(value, msgspec.Struct):
        return [text for field in value.__struct_fields__ for text in all_text(getattr(value, field))]
    return []


def assert_clean(decode: Callable[[bytes], object], body: bytes) -> None:
    """Assert that ``body`` gives a typed error with a clean message, or a clean and consistent value."""
    try:
        value = decode(body)
    except ApiError as error:
        value = error.args
    for text in all_text(value):
        assert not any(character < " " or character in "\x7f\x9b\u202e\u200b" for character in text)
        text.encode()
    if isinstance(value, wire.Tree):
        fleet = Fleet("ACME")
        fleet.replace(WA1, value.groups, value.servers, 0.0)
        for server in value.servers:
            assert_valid_server(server)
            assert server.group_id in fleet.groups
        for group in fleet.groups.values():
            assert group.parent_id is None or group.parent_id in fleet.groups
        assert len(fleet.children(None)) == 1
        assert fleet.subtree(value.groups[0].id) == set(fleet.groups)


def assert_valid_server(server: Server) -> None:
    assert server.id
    assert server.id == server.id.upper()
    for number in (server.cpu, server.memory_mb, server.storage_gb):
        assert number is None or (type(number) is int and number >= 0)
    assert server.maintenance in (True, False, None)
    assert server.is_template in (True, False)


@settings(max_examples=200)
@given(st.sampled_from(sorted(DECODERS)), st.randoms(use_true_random=False), st.lists(JUNK, max_size=6))
def test_random_changes_of_values_give_a_value_or_a_typed_error(
    name: str, rng: random.Random, junk: list[Any]
) -> None:
    shape, decode = DECODERS[name]
    assert_clean(decode, json.dumps(change(shape(), rng, junk)).encode())


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(DECODERS)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8), st.integers(0, 8)), max_size=4),
    st.floats(0, 1),
)
def test_random_changes_of_bytes_give_a_value_or_a_typed_error(
    name: str, cuts: list[tuple[float, bytes, int]], end: float
) -> None:
    shape, decode = DECODERS[name]
    body = bytearray(json.dumps(shape()).encode())
    for where, inserted, removed in cuts:
        start = int(where * len(body))
        body[start : start + removed] = inserted
    assert_clean(decode, bytes(body))
    assert_clean(decode, bytes(body[: int(end * len(body))]))


@settings(max_examples=150)
@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"\x1f\x8b\x08")
@example(b'{"id": 1e9999}')
@example(b'{"id": ' + b"9" * 5000 + b"}")
@example(b'{"details": {"cpu": ' + b"9" * 5000 + b'}, "id": "a"}')
def test_any_bytes_give_a_value_or_a_typed_error(body: bytes) -> None:
    for _, decode in DECODERS.values():
        assert_clean(decode, body)


@settings(max_examples=100)
@given(JUNK)
def test_any_json_gives_a_value_or_a_typed_error(value: Any) -> None:
    for _, decode in DECODERS.values():
        assert_clean(decode, json.dumps(value).encode())
