"""Distinguishing typed keys from pasted text."""

FILTER = "/"
"""The key that opens the filter line; the keys after it are typed there."""


def is_paste(text: str) -> bool:
    """Whether ``text``, which came in one read outside a line of text, was pasted.

    Nobody types several different characters within one read, so none of them is a command. A key that is
    held down repeats one character. Spaces, and the beginning of a filter, are typed ahead on a slow link.
    """
    typed = text.lstrip(" ")
    return len(set(typed) - set("\r\n\t ")) > 1 and not typed.startswith(FILTER)
