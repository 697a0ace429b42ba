"""Text of others on a terminal: it says what it says, and moves no cursor, sets no colour and turns no line round."""


def printable(text: str) -> str:
    r"""Spaces of every kind and ends of lines as a space, all else that cannot be seen as its escape: ``\x1b``."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
