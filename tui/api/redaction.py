"""Hides secrets in what an endpoint answers: an endpoint that received a secret may repeat it."""

import html
import re
from base64 import b64encode
from collections import deque
from functools import lru_cache
from typing import TypeVar

import msgspec

from tui.api.lenient_json import Body
from tui.api.secret import Secret

T = TypeVar("T")

HIDDEN = "…"
"""Replaces a secret."""
WITHHELD = "(not shown: it holds a secret)"
"""Replaces a text with so short a secret that its position alone would reveal it."""
SHORT = 4
"""Characters. A shorter secret withholds the whole text. So many of a secret before a cut are recognized."""
EVIDENCE = 32
"""The first characters of a secret that identify it; further characters are hidden as far as they match."""
TOKENS = 4
"""How many tokens are remembered: a late answer may hold an earlier one."""

_NOT_ESCAPED = re.compile(r"[A-Za-z0-9._~-]+")
"""Text that JSON, URLs and HTML leave unescaped."""
_ESCAPES = dict(zip("\b\f\n\r\t", "bfnrt", strict=True))
_STRUCTURE = {
    *("id", "server_id", "job_id", "group_id", "parent_id", "root_group_id", "data_center"),
    *("account", "location", "roles", "status", "power", "kind", "modified"),
}
"""Fields that the program compares and sends: hiding a part would turn an id into another."""


class Redaction:
    """The passwords and tokens of one endpoint, and the texts without them.

    A secret is found unescaped and as escaped in JSON, URLs and HTML, once or repeatedly; the password also
    as in the header of HTTP's basic authentication (RFC 7617).
    """

    def __init__(self) -> None:
        self._passwords: list[_SecretPattern] = []
        self._tokens: deque[_SecretPattern] = deque(maxlen=TOKENS)

    def know_logins(self, *logins: tuple[str, Secret]) -> None:
        """From now on hide the passwords of these (user, password) pairs, and no others."""
        self._passwords.clear()
        for user, password in logins:
            named = f"{user}:{password.reveal()}".encode(errors="surrogatepass")
            forms = {b64encode(named, altchars).rstrip(b"=").decode() for altchars in (b"+/", b"-_")}
            self._passwords += [
                _SecretPattern(password),
                *(_SecretPattern(Secret(form)) for form in sorted(forms)),
            ]

    def know_token(self, token: Secret) -> None:
        """From now on hide this token as well."""
        self._tokens.append(_SecretPattern(token))

    def forget(self) -> None:
        """Forget all passwords and tokens."""
        self._passwords.clear()
        self._tokens.clear()

    def text(self, text: str) -> str:
        """``text`` with its secrets hidden."""
        return _hidden(self._patterns, text)

    def value(self, value: T, body: Body) -> T:
        """``value``, which was decoded from ``body``, with the secrets in its texts hidden."""
        patterns = [pattern for pattern in self._patterns if pattern.may_be_in(body)]
        return _redacted(patterns, value) if patterns else value

    @property
    def _patterns(self) -> "list[_SecretPattern]":
        return [*self._passwords, *self._tokens]


def _hidden(patterns: "list[_SecretPattern]", text: str) -> str:
    for pattern in patterns:
        text = pattern.hidden_in(text)
    return text


def _redacted(patterns: "list[_SecretPattern]", value: T) -> T:
    """``value`` without the secrets, also within lists, tuples and structs: answers are decoded to these."""
    found: object = value
    match value:
        case str():
            found = _hidden(patterns, value)
        case bytes():
            text = _hidden(patterns, value.decode(errors="surrogateescape"))
            found = text.encode(errors="surrogateescape")
        case msgspec.Struct():
            changed = {}
            for name in value.__struct_fields__:
                field = getattr(value, name)
                if name not in _STRUCTURE and (shown := _redacted(patterns, field)) != field:
                    changed[name] = shown
            found = msgspec.structs.replace(value, **changed) if changed else value
        case list():
            found = [_redacted(patterns, item) for item in value]
        case tuple():
            items = [_redacted(patterns, item) for item in value]
            found = type(value)._make(items) if hasattr(value, "_make") else tuple(items)
    return found  # type: ignore[return-value]


class _SecretPattern:
    """One secret to be hidden."""

    __slots__ = ("_plain", "_secret")

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        # The longest part that no form escapes.
        self._plain = Secret(max(_NOT_ESCAPED.findall(secret.reveal()), key=len, default=""))

    def may_be_in(self, body: Body) -> bool:
        """Whether ``body`` can hold it. Fast, as nearly all answers hold no secret."""
        return self._plain.reveal().encode() in body

    def hidden_in(self, text: str) -> str:
        """``text`` without the secret, also without its beginning before a cut."""
        if self._plain.reveal() not in text and not text.endswith("…"):
            return text
        units = [_unit(character) for character in self._secret.reveal()]
        if not units:
            return text
        shown, end = [], 0
        evidence = re.compile("".join(units[:EVIDENCE]))
        while found := evidence.search(text, end):
            shown += [text[end : found.start()], HIDDEN]
            end = _reach(units[EVIDENCE:], text, found.end())[0]
        if len(units) < SHORT:
            return WITHHELD if shown else text
        shown.append(_without_beginning(units[:EVIDENCE], text[end:]))
        return "".join(shown)


def _without_beginning(units: list[str], text: str) -> str:
    """``text`` without the beginning of a secret at the end, where the text was cut."""
    if text.endswith("…"):
        for start in range(max(0, len(text) - 12 * len(units)), len(text) - SHORT):
            end, count = _reach(units, text, start)
            if end == len(text) - 1 and count >= SHORT:
                return text[:start] + HIDDEN
    return text


def _reach(units: list[str], text: str, start: int) -> tuple[int, int]:
    """Where the characters of a secret that match from ``start`` on end, and how many match."""
    for count, unit in enumerate(units):
        found = re.compile(unit).match(text, start)
        if found is None:
            return start, count
        start = found.end()
    return start, len(units)


@lru_cache(1024)
def _unit(character: str) -> str:
    """A pattern for one character in each of its forms."""
    encoded = character.encode(errors="surrogatepass")
    utf16 = character.encode("utf-16-be", errors="surrogatepass").hex()
    units = [utf16[at : at + 4] for at in range(0, len(utf16), 4)]
    number = ord(character)
    forms = [
        re.escape(character) if character != "\\" else r"\\+",
        "".join(rf"(?i:\\+u{unit})" for unit in units),
        "".join(rf"(?i:\\+x{byte:02x})" for byte in encoded),
        "".join(f"(?i:%(?:25)*{byte:02x})" for byte in encoded),
        f"(?i:&(?:amp;)*#(?:0*{number}|x0*{number:x});)",
    ]
    if character in "\"'/":
        forms.append(rf"\\+{character}")
    if character in _ESCAPES:
        forms.append(rf"\\+{_ESCAPES[character]}")
    if character == " ":
        forms.append(r"\+")
    if (entity := html.escape(character)) != character:
        forms.append(f"&(?:amp;)*{entity[1:]}")
    return f"(?:{'|'.join(forms)})"
