"""Text of others, for terminals, logs and records: what a peer, a guest, a policy, a process or a run's file says.

It is made printable once, where it comes in. A terminal obeys escape sequences, bidirectional controls show a text in
another order than it has, and a line that never ends hides all others.
"""

from collections.abc import Mapping

MOST = 500
"""Characters: a reason is a sentence or two."""


def printable(text: str, most: int = MOST) -> str:
    """The text on one line, and cut after ``most`` characters: any white space is a space, and what has no shape of its
    own (controls, bidirectional marks, halves of characters) stands there by its number, as in ``\\x1b``.
    """
    if len(text) > most:
        text = f"{text[:most]}..."
    return text if text.isprintable() else "".join(map(_shown, text))


def said_by(fault: BaseException) -> str:
    """Its message, and none if it cannot say it: an exception may be anybody's class."""
    try:
        return str(fault.msg) if isinstance(fault, SyntaxError) else str(fault)
    except (Exception, SystemExit):  # noqa: BLE001 - it is anybody's code
        return ""


def printable_texts(fields: Mapping[str, object]) -> dict[str, object]:
    """All texts of a JSON object, keys too: the ``object_hook`` of whoever reads what others wrote."""
    return {printable(name): _printable_value(value) for name, value in fields.items()}


def _printable_value(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable(each) if isinstance(each, str) else each for each in value]
    return value


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
