"""A window as JSON, and the JSON Schema of it."""

from collections.abc import Iterable, Iterator

import msgspec

from tui.model.report import ReportSource, WindowReport

_encode = msgspec.json.Encoder().encode


def window_json(source: ReportSource) -> Iterator[str]:
    """The report as one object; each server on a line of its own."""
    yield _up_to(source.window, b'"held":[],"operations":[]}')
    yield '"held":['
    yield from _items(map(_text, source.held()))
    yield '],"operations":['
    comma = "\n"
    for operation in source.operations():
        yield comma + _up_to(operation, b'"results":[]}') + '"results":['
        yield from _items(map(_text, source.results(operation.id)))
        yield "]}"
        comma = ",\n"
    yield "]}\n"


def schema_json() -> str:
    """The JSON Schema of the report."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(WindowReport)}
    return msgspec.json.format(_encode(schema), indent=2).decode() + "\n"


def _up_to(struct: msgspec.Struct, end: bytes) -> str:
    """A struct without its last fields, which are empty here and follow one by one."""
    encoded = _encode(struct)
    assert encoded.endswith(end)  # noqa: S101 - the order of the fields
    return encoded.removesuffix(end).decode()


def _text(struct: msgspec.Struct) -> str:
    return _encode(struct).decode()


def _items(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield (",\n" if number else "\n") + text
