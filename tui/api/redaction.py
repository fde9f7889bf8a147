"""Hiding secrets in what an endpoint says: whoever was told one may repeat it."""

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
"""Stands where a secret was."""
WITHHELD = "(not shown: it holds a secret)"
"""Stands for a text that holds so short a secret that its place alone would tell it."""
SHORT = 4
"""Characters from which a secret is hidden alone. As many of one give away that a text was cut within it."""
EVIDENCE = 32
"""Characters of a secret that tell that it is meant; what follows is hidden as far as it goes on."""
TOKENS = 4
"""Tokens that are remembered: an answer may be late, and hold the one before."""

_NOT_ESCAPED = re.compile(r"[A-Za-z0-9._~-]+")
"""What JSON, URLs and HTML leave as it is."""
_ESCAPES = dict(zip("\b\f\n\r\t", "bfnrt", strict=True))
_FOR_URLS = str.maketrans("+/", "-_")
_STRUCTURE = {
    *("id", "server_id", "job_id", "group_id", "parent_id", "root_group_id", "data_center"),
    *("account", "location", "roles", "status", "power", "kind", "modified"),
}
"""Fields that are compared and sent, not read: hiding a part of them would make another of it."""


class Redaction:
    """The secrets that one endpoint was told or told us, and what is to be seen instead of them.

    A secret is found as it is, as in JSON, in a URL and in HTML, once or several times over; the password
    also as in the header of HTTP's basic authentication (RFC 7617).
    """

    def __init__(self) -> None:
        self._passwords: list[_Needle] = []
        self._tokens: deque[_Needle] = deque(maxlen=TOKENS)

    def know_logins(self, *logins: tuple[str, Secret]) -> None:
        """Hide the passwords of these users and passwords from now on, and no others."""
        self._passwords.clear()
        for user, password in logins:
            named = f"{user}:{password.reveal()}".encode(errors="surrogatepass")
            forms = {b64encode(named, altchars).rstrip(b"=").decode() for altchars in (b"+/", b"-_")}
            self._passwords += [_Needle(password), *(_Needle(Secret(form)) for form in sorted(forms))]

    def know_token(self, token: Secret) -> None:
        """Hide this token too from now on."""
        self._tokens.append(_Needle(token))

    def forget(self) -> None:
        """Know nothing any more."""
        self._passwords.clear()
        self._tokens.clear()

    def text(self, text: str) -> str:
        """``text`` as it may be shown and kept."""
        return _hidden(self._needles, text)

    def value(self, value: T, body: Body) -> T:
        """``value``, made of ``body``, with each of its texts as it may be shown and kept."""
        needles = [needle for needle in self._needles if needle.may_be_in(body)]
        return _redacted(needles, value) if needles else value

    @property
    def _needles(self) -> "list[_Needle]":
        return [*self._passwords, *self._tokens]


def _hidden(needles: "list[_Needle]", text: str) -> str:
    for needle in needles:
        text = needle.hidden_in(text)
    return text


def _redacted(needles: "list[_Needle]", value: T) -> T:
    """``value`` without them, also within lists, tuples and structs: nothing else is made of answers."""
    found: object = value
    match value:
        case str():
            found = _hidden(needles, value)
        case bytes():
            text = _hidden(needles, value.decode(errors="surrogateescape"))
            found = text.encode(errors="surrogateescape")
        case msgspec.Struct():
            changed = {}
            for name in value.__struct_fields__:
                field = getattr(value, name)
                if name not in _STRUCTURE and (shown := _redacted(needles, field)) != field:
                    changed[name] = shown
            found = msgspec.structs.replace(value, **changed) if changed else value
        case list():
            found = [_redacted(needles, item) for item in value]
        case tuple():
            items = [_redacted(needles, item) for item in value]
            found = type(value)._make(items) if hasattr(value, "_make") else tuple(items)
    return found  # type: ignore[return-value]


class _Needle:
    """One secret to be hidden."""

    __slots__ = ("_plain", "_secret")

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        # The longest part that stands in every form of it as it is.
        self._plain = Secret(max(_NOT_ESCAPED.findall(secret.reveal()), key=len, default=""))

    def may_be_in(self, body: Body) -> bool:
        """Whether ``body`` can hold it. Fast: most answers, and all large ones, hold none."""
        return self._plain.reveal().encode() in body

    def hidden_in(self, text: str) -> str:
        """``text`` without it, also where it was cut within it."""
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
    """``text`` without the beginning of a secret at its end, where it was cut."""
    if text.endswith("…"):
        for start in range(max(0, len(text) - 12 * len(units)), len(text) - SHORT):
            end, count = _reach(units, text, start)
            if end == len(text) - 1 and count >= SHORT:
                return text[:start] + HIDDEN
    return text


def _reach(units: list[str], text: str, start: int) -> tuple[int, int]:
    """Where the characters of a secret end that follow at ``start``, and how many they are."""
    for count, unit in enumerate(units):
        found = re.compile(unit).match(text, start)
        if found is None:
            return start, count
        start = found.end()
    return start, len(units)


@lru_cache(1024)
def _unit(character: str) -> str:
    """A pattern for one character in each form."""
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
