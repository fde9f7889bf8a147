"""A hostile endpoint: endless bodies, gzip bombs, wrong sizes. Each ends soon, with a typed error."""

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

SMALL_LIMITS = Limits(body=100_000, tree_body=200_000, tries=1)
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


def finite(body: bytes, size: int = 1000) -> Stream:
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
    return await Service(streamed(stream, **headers)).logged_in(limits=SMALL_LIMITS)


async def test_reading_an_endless_body_stops_at_the_limit() -> None:
    stream = endless(b" " * 1000)
    api = await api_that_gets(stream)
    with pytest.raises(Oversized, match="larger than"):
        await api.job_status("ACME", "wa1-1")
    assert stream.taken == 101
    assert stream.closed


async def test_a_body_with_too_large_a_content_length_is_not_read() -> None:
    stream = endless(b" ")
    api = await api_that_gets(stream, content_length="100001")
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")
    assert stream.taken == 0


async def test_trees_have_a_limit_of_their_own() -> None:
    body = json.dumps(shapes.tree() | {"padding": "x" * 150_000}).encode()
    api = await api_that_gets(finite(body))
    assert len((await api.group_tree("ACME", WA1)).servers) == 6
    api = await api_that_gets(finite(body))
    with pytest.raises(Oversized):
        await api.server("ACME", "WA1ACMEWEB01")


async def test_an_oversized_answer_is_not_fetched_again() -> None:
    service = Service(streamed(endless(b" " * 5000)))
    api = await service.logged_in(limits=Limits(body=10_000))
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")
    assert len(service.requests) == 1


async def test_gzip_is_unpacked_from_chunks_of_any_size() -> None:
    packed = gzip.compress(json.dumps(shapes.tree()).encode())
    for size in (1, 7, 100_000):
        api = await api_that_gets(finite(packed, size), content_encoding="gzip")
        assert len((await api.group_tree("ACME", WA1)).servers) == 6


async def test_unpacking_a_gzip_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < SMALL_LIMITS.body
    stream = finite(bomb)
    tracemalloc.start()
    try:
        api = await api_that_gets(stream, content_encoding="gzip")
        with pytest.raises(Oversized):
            await api.job_status("ACME", "wa1-1")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert stream.taken < 10


async def test_an_endless_gzip_stream_without_content_is_oversized() -> None:
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
async def test_invalid_or_unrequested_compression_is_malformed(
    encoding: str, body: bytes, words: str
) -> None:
    api = await api_that_gets(finite(body), content_encoding=encoding)
    with pytest.raises(Malformed, match=words):
        await api.job_status("ACME", "wa1-1")


@pytest.mark.parametrize("length", ["", "-1", "x", "1e9"])
async def test_an_invalid_content_length_is_ignored(length: str) -> None:
    api = await api_that_gets(finite(b'{"status": "executing"}'), content_length=length)
    assert await api.job_status("ACME", "wa1-1") == "executing"


async def test_a_content_length_of_a_thousand_digits_is_oversized() -> None:
    api = await api_that_gets(finite(b"{}"), content_length="9" * 1000)
    with pytest.raises(Oversized):
        await api.job_status("ACME", "wa1-1")


async def test_an_operation_with_an_oversized_answer_is_unsure() -> None:
    api = await api_that_gets(endless(b" " * 5000))
    with pytest.raises(OutcomeUnsure, match="larger than"):
        await api.operate("ACME", Action.POWER_ON, ["WA1ACMEWEB01"])


async def test_a_tree_of_too_many_entries_is_oversized() -> None:
    body = b'{"id":"a0","servers":[' + b"{}," * 20_000 + b"{}]}"
    service = Service(streamed(finite(body)))
    api = await service.logged_in(limits=Limits())
    with pytest.raises(Oversized, match="more than 10,000 entries that are none"):
        await api.group_tree("ACME", WA1)
    assert len(service.requests) == 1
