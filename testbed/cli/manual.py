"""The manual page, testbed(1), made from the parser: ``python -m testbed.cli.manual > testbed/cli/testbed.1``."""

import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from testbed.cli.app import PROGRAM, app
from testbed.core.version import __version__

_EXIT = (
    ("0", "done, and what was asked for is so"),
    ("1", "a migration or a check is not valid"),
    ("2", "what was asked for is wrong, or cannot be read"),
    ("3", "this machine lacks something; the line says what to do"),
    ("4", "another run has the machine"),
    ("130", "interrupted"),
)


def page() -> str:
    """Makes the page, in man(7)'s words; nothing in it depends on the machine or the day."""
    command: Any = get_command(app)
    lines = [
        f'.TH TESTBED 1 "" "Fast Motion {__version__}" "User Commands"',
        ".SH NAME",
        rf"testbed \- {_said('a live-migration laboratory in a box')}",
        ".SH SYNOPSIS",
        ".B testbed",
        r"COMMAND [OPTION]... [ARGUMENT]...",
        ".SH COMMANDS",
        *_commands(command, PROGRAM),
        ".SH EXIT STATUS",
    ]
    for code, words in _EXIT:
        lines += [".TP", f".B {code}", _said(words)]
    lines += [".SH SEE ALSO", _said("testbed docs shows all documents in a browser; each command has --help.")]
    return "\n".join(lines) + "\n"


def _commands(group: Any, path: str) -> Iterator[str]:
    """A section a command; those of a group come after it."""
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        whole = f"{path} {name}"
        context = command.make_context(name, [], resilient_parsing=True)
        usage = " ".join(command.collect_usage_pieces(context))
        yield f'.SS "{_said(f"{whole} {usage}")}"'
        for number, part in enumerate(filter(None, (command.help or "").split("\n\n"))):
            yield from ([".PP"] if number else [])
            yield _said(" ".join(part.split()).replace("``", ""))
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None and "--help" not in record[0]:
                yield from (".TP", rf".B {_said(record[0])}", _said(record[1] or ""))
        if hasattr(command, "commands"):
            yield from _commands(command, whole)


def _said(text: str) -> str:
    """One line of text that holds none of man's own words."""
    plain = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain


if __name__ == "__main__":
    sys.stdout.write(page())
