"""A value that must not be seen."""

from hmac import compare_digest


class Secret:
    """Holds a password or a token so that no repr, log line or traceback with locals shows it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: pass it on at once, never bind it to a name."""
        return self._value

    def is_(self, text: str) -> bool:
        """Whether ``text`` is the value; how much of it is right cannot be told from the time it takes."""
        return compare_digest(self._value.encode(errors="surrogatepass"), text.encode(errors="surrogatepass"))

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in memory")
