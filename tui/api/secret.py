"""A value that must never be displayed."""

from hmac import compare_digest


class Secret:
    """A password or a token that no repr, log line or traceback with locals shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: pass it on at once, never bind it to a name, which a traceback would show."""
        return self._value

    def is_(self, text: str) -> bool:
        """Whether ``text`` is the value, compared in constant time."""
        return compare_digest(self._value.encode(errors="surrogatepass"), text.encode(errors="surrogatepass"))

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in memory")
