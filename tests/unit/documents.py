"""The commands that stand in the documents: found, taken apart, and run in a fresh shell as they stand."""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from typer.main import get_command

from testbed.cli.app import app, with_defaults
from testbed.scenario import load

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ENDS = {"&&", "||", "|", ";", "&"}
TESTBED, BOOTSTRAP = "testbed", "./bootstrap"
_TAKES_A_SCENARIO = ("run", "predict", "shell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; ``place`` is ``file:line`` of its fence."""

    place: str
    language: str
    text: str

    @property
    def testbeds(self) -> list[list[str]]:
        """The arguments of each call of ``testbed`` or ``./bootstrap`` in it."""
        return [found for command in commands(self.text) if (found := arguments(command)) is not None]


def blocks() -> Iterator[Block]:
    """All fenced blocks of all documents."""
    for file in DOCUMENTS:
        text = file.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            place = f"{file.relative_to(ROOT)}:{line}"
            yield Block(place=place, language=found[1], text=textwrap.dedent(found[2]))


def spans() -> Iterator[tuple[str, list[str]]]:
    """Place and arguments of each command in the running text: `testbed list policies`."""
    for file in DOCUMENTS:
        text = _FENCE.sub("", file.read_text(encoding="utf-8"))
        for found in re.finditer(r"`((?:sudo )?testbed\s[^`]+)`", text):
            asked = arguments(list(takewhile(lambda word: word != ">", shlex.split(found[1]))))
            assert asked is not None
            yield file.name, ["hello" if word == "SCENARIO" else word for word in asked]


def commands(text: str) -> Iterator[list[str]]:
    """The simple commands of a piece of shell, as words."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        for word in words:
            if word in _ENDS:
                yield command
                command = []
            else:
                command.append(word)
        yield command


def arguments(command: list[str]) -> list[str] | None:
    """What ``testbed`` is given in a command; None: it is another's. Of Vagrant's it is the one inside."""
    words = command[1:] if command[:1] == ["sudo"] else command
    if words[:2] == ["vagrant", "ssh"]:
        return next(found for each in commands(words[-1]) if (found := arguments(each)) is not None)
    return words[1:] if words[:1] in ([TESTBED], [BOOTSTRAP]) else None


def check(asked: list[str]) -> None:
    """Fails unless there is such a command with such options, for a scenario that there is. Nothing is run."""
    group: Any = get_command(app)
    name, *rest = with_defaults(asked)
    assert name in group.commands, f"there is no command '{name}'"
    given = group.commands[name].make_context(name, rest).params
    if name in _TAKES_A_SCENARIO and "/" not in (given["scenario"] or ""):  # a file is the reader's own
        load(given["scenario"] or "fast-motion", overrides=given["set_"] or [])


def fresh_shell(text: str, where: Path) -> "subprocess.CompletedProcess[str]":
    """A block as somebody would paste it into a new terminal, standing in an empty folder. Fails where a line does.

    ``testbed`` is what ``bootstrap`` makes of this checkout; ``sudo`` does nothing here.
    """
    tools = where / "bin"
    tools.mkdir()
    made = (ROOT / "bootstrap").read_text().split("# ---- Commands", maxsplit=1)[0]
    makes = f"is_root() {{ true; }}\nname={tools}/testbed\nvenv={sys.prefix}\ninstall_name\n"
    (tools / "make").write_text(f"{made}\n{makes}")
    subprocess.run(["/bin/bash", tools / "make"], check=True)
    (tools / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (tools / "sudo").chmod(0o755)
    (where / "home").mkdir()
    environment = {"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(where / "home")}
    environment |= {name: value for name, value in os.environ.items() if name == "TESTBED_TEST_SESSION"}
    return subprocess.run(
        ["/bin/bash", "-eo", "pipefail", "-c", text],
        cwd=where / "home",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
