"""A hostile endpoint: bodies without end, bombs, lies about sizes. Each ends, soon, with a typed error."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.api import shapes
from tests.api.service import Service
from tui.api.endpoints import Api
from tui.api.errors import Malformed, OutcomeUnsure, Oversized
from tui.api.limits import Limits
from tui.model.group import DataCenter
from tui.model.operation import Action

SMALL = Limits(body=100_000, tree_body=200_000, tries=1)
PACKED = gzip.compress(b'{"status": "executing"}', mtime=0)
WA1 = DataCenter("WA1", root_group_id="a0")


class Stream(httpx.AsyncByteStream):
    """A body that comes in chunks; counts how many were taken, and whether it was closed."""

    def __init__(self, chunks: Callable[[], AsyncIterator[bytes]]) -> None:
        self._chunks = chunks
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks():
            self.taken += 1
            yield chunk

    async def aclose(self) -> None:
        self.closed = True


def streamed(stream: Stream, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(200, headers=named, stream=stream)


def once(body: bytes, size: int = 1000) -> Stream:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return Stream(chunks)


def endless(chunk: bytes) -> Stream:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield chunk

    return Stream(chunks)


async def api_that_gets(stream: Stream, **headers: str) -> Api:
    return await Service(streamed(stream, **headers)).logged_in(limits=SMALL)


async def test_an_endless_body_is_left_where_the_bound_is() -> None:
    stream = endless(b" " * 1000)
    api = await api_that_gets(stream)
    with pytest.raises(Oversized, match="larger than"):
        await api.job_status("ACME", "wa1-1")
    assert stream.taken == 101
    assert stream.closed


async def test_a_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    stream = endless(b" ")
    api = await api_that_gets(stream, content_length="100001")
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")
    assert stream.taken == 0


async def test_trees_have_a_bound_of_their_own() -> None:
    body = json.dumps(shapes.tree() | {"padding": "x" * 150_000}).encode()
    api = await api_that_gets(once(body))
    assert len((await api.group_tree("ACME", WA1)).servers) == 6
    api = await api_that_gets(once(body))
    with pytest.raises(Oversized):
        await api.server("ACME", "WA1ACMEWEB01")


async def test_what_is_too_large_is_not_fetched_again() -> None:
    service = Service(streamed(endless(b" " * 5000)))
    api = await service.logged_in(limits=Limits(body=10_000))
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")
    assert len(service.requests) == 1


async def test_gzip_is_undone_in_whatever_pieces_it_comes() -> None:
    packed = gzip.compress(json.dumps(shapes.tree()).encode())
    for size in (1, 7, 100_000):
        api = await api_that_gets(once(packed, size), content_encoding="gzip")
        assert len((await api.group_tree("ACME", WA1)).servers) == 6


async def test_a_gzip_bomb_is_left_where_the_bound_is() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < SMALL.body
    stream = once(bomb)
    tracemalloc.start()
    try:
        api = await api_that_gets(stream, content_encoding="gzip")
        with pytest.raises(Oversized):
            await api.job_status("ACME", "wa1-1")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert stream.taken < 10


async def test_a_gzip_stream_that_yields_nothing_for_ever_ends() -> None:
    empty_blocks = zlib.compressobj(wbits=31)
    start = empty_blocks.compress(b"") + empty_blocks.flush(zlib.Z_FULL_FLUSH)
    block = empty_blocks.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"

    async def chunks() -> AsyncIterator[bytes]:
        yield start
        while True:
            yield block * 100

    api = await api_that_gets(Stream(chunks), content_encoding="gzip")
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", b"not gzip at all", "not compressed as it says"),
        ("gzip", PACKED[:-6], "cut short"),
        ("br", b"x", "not asked for"),
        ("gzip, gzip", gzip.compress(PACKED, mtime=0), "not asked for"),
        ("deflate", zlib.compress(b"{}"), "not asked for"),
    ],
    ids=["not gzip", "cut short", "br", "twice", "deflate"],
)
async def test_compression_gone_wrong_is_malformed(encoding: str, body: bytes, words: str) -> None:
    api = await api_that_gets(once(body), content_encoding=encoding)
    with pytest.raises(Malformed, match=words):
        await api.job_status("ACME", "wa1-1")


@pytest.mark.parametrize("length", ["", "-1", "x", "1e9"])
async def test_a_length_that_is_none_does_no_harm(length: str) -> None:
    api = await api_that_gets(once(b'{"status": "executing"}'), content_length=length)
    assert await api.job_status("ACME", "wa1-1") == "executing"


async def test_a_length_of_a_thousand_digits_is_too_large() -> None:
    api = await api_that_gets(once(b"{}"), content_length="9" * 1000)
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")


async def test_an_operation_with_too_large_an_answer_is_unsure() -> None:
    api = await api_that_gets(endless(b" " * 5000))
    with pytest.raises(OutcomeUnsure, match="larger than"):
        await api.operate("ACME", Action.POWER_ON, ["WA1ACMEWEB01"])


async def test_a_tree_of_too_many_things_is_left() -> None:
    body = b'{"id":"a0","servers":[' + b"{}," * 20_000 + b"{}]}"
    service = Service(streamed(once(body)))
    api = await service.logged_in(limits=Limits())
    with pytest.raises(Oversized, match="more than 10,000 entries that are none"):
        await api.group_tree("ACME", WA1)
    assert len(service.requests) == 1
