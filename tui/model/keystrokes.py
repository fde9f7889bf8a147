"""What keys that came in one read mean: keys one after the other, or a text that was pasted."""

FILTER = "/"
"""The key that opens a line of text: what follows it is typed there."""


def is_paste(text: str) -> bool:
    """Whether ``text``, which came in one read where no text is asked for, was pasted rather than typed.

    Several different characters in one read are no finger's work, and none of them is taken for a command.
    A key that was held down is one character many times. Spaces, and what a filter begins with, are
    typed ahead on a slow link.
    """
    typed = text.lstrip(" ")
    return len(set(typed) - set("\r\n\t ")) > 1 and not typed.startswith(FILTER)
