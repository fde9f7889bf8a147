"""The command line against a hostile endpoint: one error, no token sent elsewhere, no traceback."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from tests.headless.conftest import Pitstop
from tests.security.endpoint import TOKEN, Reply, log_in, serve_endpoint
from tests.security.payloads import unsafe_characters

ROUTES = {"login": "/authentication/", "data-centers": "/datacenters/", "tree": "/groups/"}


def bomb(size: int) -> bytes:
    """Return ``size`` blanks in gzip, made of one compressed block repeated, as an attacker would do it."""
    packer = zlib.compressobj(1, wbits=31)
    start = packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (size // 1_000_000)


ATTACKS = {
    "redirect": Reply(b"", 307, {"Location": "ELSEWHERE"}),
    "redirect-for-ever": Reply(b"", 302, {"Location": "SELF"}),
    "web-page": Reply(b"<html><script>alert(1)</script></html>", 200, {"Content-Type": "text/html"}),
    "deep": Reply(b"[" * 200_000),
    "deep-and-whole": Reply(b'{"id":' * 50_000 + b"1" + b"}" * 50_000),
    "huge": Reply(b"", 200, {"Content-Length": str(10**12)}),
    "bomb": Reply(bomb(500_000_000), 200, {"Content-Encoding": "gzip"}),
    "many": Reply(b"[" + b"{}," * 9_000_000 + b"{}]"),
    "cookies": Reply(b"{}", 200, {"Set-Cookie": "a=b; Domain=example.com"}),
    "status": Reply(b"{}", 299),
    "message": Reply({"message": "x" * 100_000}, 400),
}

WRONG_TYPES: dict[str, Any] = {
    "null": None, "true": True, "number": 1, "negative": -1.5e300, "text": "x", "list": [], "object": {},
    "nulls": [None, None], "lists": [[[]]], "mixed": [1, "x", None, {}, []], "numbers": {"id": 1, "links": 2},
    "inside-out": {"id": {"id": []}, "name": [{}], "groups": {"a": 1}, "servers": "none", "links": [[]],
                   "bearerToken": ["x"], "roles": {"a": "b"}, "message": {"message": []}, "userName": 7},
    "huge-number": {"id": 10**400, "groups": [{"id": 1e308, "servers": [{"id": True, "details": 10**400}]}]},
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("route", ROUTES)
def test_an_attack_ends_the_command_with_one_short_error(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, attack: str, route: str
) -> None:
    with serve_endpoint() as elsewhere:

        def answer(path: str) -> Reply | None:
            if ROUTES[route] not in path:
                return None
            body, status, headers = ATTACKS[attack]
            places = {"ELSEWHERE": elsewhere.url + path, "SELF": path}
            return Reply(body, status, {key: places.get(value, value) for key, value in headers.items()})

        with serve_endpoint(answer) as endpoint:
            log_in(monkeypatch, endpoint.url)
            ran = pitstop("servers")
            seen = len([request for request in endpoint.requests if ROUTES[route] in request])
        assert elsewhere.requests == []
    assert ran.code in (3, 4)
    assert ran.out == ""
    assert 0 < len(ran.err) < 700
    assert "bug" not in ran.err
    assert unsafe_characters(ran.err) == set()
    assert TOKEN not in ran.err
    assert seen <= 3


@pytest.mark.parametrize("kind", WRONG_TYPES)
@pytest.mark.parametrize("route", ROUTES)
def test_wrong_types_anywhere_give_a_typed_error_or_none(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, kind: str, route: str
) -> None:
    with serve_endpoint(lambda path: Reply(WRONG_TYPES[kind]) if ROUTES[route] in path else None) as endpoint:
        log_in(monkeypatch, endpoint.url)
        ran = pitstop("servers")
    assert ran.code in (0, 4)
    assert "bug" not in ran.err
    assert unsafe_characters(ran.out + ran.err, lines="\n\t") == set()
