"""The memory that a hostile endpoint can make Pitstop use: one budget for all answers."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.api import shapes
from tests.api.service import Service
from tui.api import nodes, trees, wire
from tui.api.errors import Malformed, Oversized
from tui.api.limits import Limits
from tui.api.memory import Memory
from tui.model.group import DataCenter

WA1 = DataCenter("WA1", root_group_id="a0")
KIB = 1024


class Feed(httpx.AsyncByteStream):
    """A body in pieces of a kilobyte. The class counts the bytes delivered by all bodies not yet closed."""

    in_memory = highest = 0

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._delivered = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), KIB):
            piece = self._body[start : start + KIB]
            self._delivered += len(piece)
            Feed.in_memory += len(piece)
            Feed.highest = max(Feed.highest, Feed.in_memory)
            yield piece
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        Feed.in_memory -= self._delivered
        self._delivered = 0


def tree_of_size(size: int) -> bytes:
    return json.dumps(shapes.tree() | {"id": "a0", "padding": "x" * size}).encode()


async def test_large_answers_are_read_one_at_a_time() -> None:
    limits = Limits(body=10 * KIB, tree_body=200 * KIB, memory=16 * 10 * KIB + 200 * KIB)
    body = tree_of_size(150 * KIB)
    service = Service(lambda _: httpx.Response(200, stream=Feed(body)))
    api = await service.logged_in(limits=limits)
    Feed.in_memory = Feed.highest = 0
    centers = [DataCenter(f"D{number:02}", root_group_id="a0") for number in range(16)]
    found = await asyncio.gather(*(api.group_tree("ACME", center) for center in centers))
    assert [len(tree.servers) for tree in found] == [6] * 16
    assert len(body) < Feed.highest <= len(body) + 16 * (limits.body + KIB)


async def test_kept_trees_count_and_a_new_reading_replaces_the_old_one() -> None:
    body = json.dumps(
        {"id": "a0", "servers": [{"id": f"a{number}", "description": "x" * 1000} for number in range(50)]}
    ).encode()
    limits = Limits(body=10 * KIB, memory=4 * len(body))
    api = await Service(httpx.Response(200, content=body)).logged_in(limits=limits)
    for _ in range(5):
        await api.group_tree("ACME", WA1)
    await api.group_tree("ACME", DataCenter("UC1", root_group_id="a0"))
    with pytest.raises(Oversized, match="All answers together"):
        await api.group_tree("ACME", DataCenter("VA1", root_group_id="a0"))


async def test_a_refused_answer_releases_its_memory() -> None:
    memory = Memory(Limits(body=10, memory=100))

    async def too_much() -> None:
        async with memory.reading() as take:
            for _ in range(11):
                await take(10)

    for _ in range(3):
        with pytest.raises(Oversized):
            await too_much()
    async with memory.reading() as take:
        await take(100)


async def test_waiting_for_a_large_answer_can_be_cancelled() -> None:
    memory = Memory(Limits(body=10, memory=100))
    async with memory.reading() as take:
        await take(50)

        async def wait() -> None:
            async with memory.reading() as other:
                await other(20)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await wait()
        waiting = asyncio.create_task(wait())
    await waiting


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"id":"a0","servers":[' + b"1," * (nodes.LONG_LIST // 2) + b"1]}", "no server and no group"),
        (b'{"id":"a0","groups":[' + b"1," * (nodes.LONG_LIST // 2) + b"1]}", "no server and no group"),
        (b'{"id":"a0","servers":[' + b"{}," * nodes.LONG_LIST + b"{}]}", "list of more than 500,000 things"),
        (b'{"id":"a0","groups":[' + b'{"id":"a"},' * 60_000 + b'{"id":"a"}]}', "more than 50,000 groups"),
        (b'{"id":"a0","servers":[' + b"{}," * 60_000 + b"{}]}", "more than 10,000 entries"),
        (b'{"id":"a0","groups":[' + b"1," * 60_000 + b"1]}", "more than 10,000 entries"),
        (
            b'{"id":"a0","servers":[{"id":"a1","details":{"ipAddresses":[' + b"{}," * 90_000 + b"{}]}}]}",
            "a server of more than 262,144 bytes",
        ),
        (
            b'{"id":"a0","name":5,"groups":[' * 30 + b'{"x":"' + b"x" * 10_000 + b'"}' + b"]}" * 30,
            "too large for what is wrong with it",
        ),
        (b'{"id":"a0","description":"\x01' + rb"\ud800" * 210_000 + b'"}', "characters that are none"),
    ],
    ids=range(9),
)
def test_small_bodies_that_decode_to_many_objects_are_refused(body: bytes, message: str) -> None:
    bare = bytearray(body)
    tracemalloc.start()
    with pytest.raises(Malformed, match=message):
        trees.group_tree(bare, WA1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20


def test_every_answer_has_a_limit_of_parts() -> None:
    for decode in (wire.job_status, wire.data_centers, wire.answers, wire.login, trees.server):
        for part in (b"[],", b'{"a":0},', b"1,"):
            with pytest.raises(Oversized, match="more than 500,000 parts"):
                decode(b"[" + part * 500_000 + b"1]")


def test_the_number_of_data_centers_is_limited() -> None:
    body = msgspec.json.encode([{"id": f"D{number}"} for number in range(201)])
    with pytest.raises(Oversized, match="more than 200 data centers"):
        wire.data_centers(body)


def test_texts_count_by_their_size_in_memory() -> None:
    one = {"id": "a1", "description": "x" * 4000 + "\N{GRINNING FACE}"}
    body = json.dumps({"id": "a0", "servers": [one] * 100}, ensure_ascii=False).encode()
    assert len(trees.group_tree(body, WA1, Limits(memory=2_000_000)).servers) == 100
    with pytest.raises(Oversized):
        trees.group_tree(body, WA1, Limits(memory=1_500_000))


def test_a_fleet_takes_no_more_than_four_times_its_size() -> None:
    named = [shapes.server(f"WA1ACMEWEB{number}", description=f"web {number}") for number in range(3_000)]
    body = bytearray(json.dumps({"id": "a0", "servers": named}).encode())
    tracemalloc.start()
    tree = trees.group_tree(body, WA1)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(tree.servers) == 3_000
    assert kept < len(body)
    assert len(body) + peak <= 4 * len(body)


def test_invalid_characters_of_a_large_tree_are_repaired_in_place() -> None:
    odd = b"\x01" + rb"\ud800x\ud83d\ude00" + rb"\udc00"
    padding = b"y" * (2**20 - 40)
    body = bytearray(b'{"id":"a0","servers":[')
    body += b",".join(
        b'{"id":"a%d","x":"' % number + padding[: 200_000 + number] + b'","name":"' + odd + b'"}'
        for number in range(40)
    )
    body += b"]}"
    names = {server.name for server in trees.group_tree(body, WA1).servers}
    assert names == {" \ufffdx\N{GRINNING FACE}\ufffd"} or names == {"\ufffdx\N{GRINNING FACE}\ufffd"}


async def test_a_gzip_bomb_is_unpacked_up_to_the_limit_only() -> None:
    packed = gzip.compress(b'{"id":"a0","x":"' + b"x" * 30_000_000 + b'"}')
    service = Service(
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Feed(packed))
    )
    api = await service.logged_in(limits=Limits(tree_body=1_000_000))
    tracemalloc.start()
    with pytest.raises(Oversized):
        await api.group_tree("ACME", WA1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000
