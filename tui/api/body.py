"""Reading an answer's body within bounds, whatever is sent."""

import zlib
from collections.abc import AsyncIterator
from typing import cast

from tui.api.errors import Malformed, Oversized
from tui.api.http import httpx
from tui.api.memory import Take


class CutShort(Malformed):
    """The compressed body ends before its end."""


PIECE = 2**18
"""Bytes that are decompressed at once."""


async def read_body(response: httpx.Response, limit: int, take: Take) -> bytearray:
    """The body, decompressed, at most ``limit`` bytes of it on the wire and in memory.

    ``take`` is told of each part before it is kept.

    Raises:
        Oversized: it is larger; reading stopped there.
        Malformed: it is compressed in a way that was not asked for, or badly.
        httpx.HTTPError: the connection failed.
    """
    if response.is_stream_consumed:  # a transport that hands over whole answers
        if len(response.content) > limit:
            raise _oversized(limit)
        await take(len(response.content))
        return bytearray(response.content)
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise _oversized(limit)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        body = bytearray()
        async for chunk in _chunks(response):
            if len(body) + len(chunk) > limit:
                raise _oversized(limit)
            await take(len(chunk))
            body += chunk
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Malformed("The answer is compressed in a way that was not asked for.")
    return await _gunzip(response, limit, take)


async def _gunzip(response: httpx.Response, limit: int, take: Take) -> bytearray:
    body = bytearray()
    received = 0
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    async for chunk in _chunks(response):
        received += len(chunk)
        piece = b""
        while (chunk or len(piece) == PIECE) and not stream.eof:
            try:
                piece = stream.decompress(chunk, PIECE)
            except zlib.error:
                raise Malformed("The answer is not compressed as it says.") from None
            if len(body) + len(piece) > limit or received > limit:
                raise _oversized(limit)
            await take(len(piece))
            body += piece
            chunk = stream.unconsumed_tail
    if received and not stream.eof:
        raise CutShort("The answer was cut short.")
    return body


def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes. Unlike `aiter_raw` this does not give the connection back at the end."""
    return aiter(cast(httpx.AsyncByteStream, response.stream))


def _oversized(limit: int) -> Oversized:
    return Oversized(f"The answer is larger than {limit / 2**20:,.0f} MiB, which no answer of the API is.")
