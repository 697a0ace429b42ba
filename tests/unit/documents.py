"""The commands that stand in the documents: found, taken apart, and run in a fresh shell as they stand.

A block of commands is run by a test, in the order of its document: what is quick and needs no root, by
``tests/unit/test_documents.py``, what makes hosts, by ``tests/netns/test_documents.py``. One that neither can run says
why, in a line before it that no reader sees: ``<!-- not run: it goes on until Ctrl-C -->``.
"""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from typer.main import get_command

from docs.site.labs import EXAMPLE, rendered
from machines.kinds import parse
from testbed.cli.app import app, with_defaults
from testbed.labs.catalogue import LabFolder
from testbed.scenario import load
from tests.unit.answering import answer

ROOT = Path(__file__).parents[2]
LABS = sorted(ROOT.glob("labs/[0-9]*/README.md"))
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
    *LABS,
]
_FENCE = re.compile(r"(?:^ *<!-- not run: (.+?) -->\n)?^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ENDS = {"&&", "||", "|", ";", "&"}
TESTBED, BOOTSTRAP = "testbed", "./bootstrap"
_TAKES_A_SCENARIO = ("run", "predict", "shell")
QUICK = {"list", "predict", "report", "compare", "audit", "schema", "packets", "grade", "arena", "lab", "export", "new"}
"""What needs no root, and seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; ``place`` is ``file:line`` of its fence, ``not_run`` why no test runs it, or nothing."""

    place: str
    language: str
    text: str
    not_run: str

    @property
    def document(self) -> str:
        """The file that it stands in."""
        return self.place.partition(":")[0]

    @property
    def testbeds(self) -> list[list[str]]:
        """The arguments of each call of ``testbed`` or ``./bootstrap`` in it."""
        return [found for command in commands(self.text) if (found := arguments(command)) is not None]

    @property
    def quick(self) -> bool:
        """Whether it runs in seconds, and without root."""
        return all(_is_quick(asked) or (self.of_lab and asked[:2] == ["lab", "run"]) for asked in self.testbeds)

    @property
    def of_lab(self) -> bool:
        """Whether it stands in a lab's text. The runs of those are made in the model: on real hosts ``test_labs`` makes
        them.
        """
        return ROOT / self.document in LABS


def _is_quick(asked: list[str]) -> bool:
    makes_hosts = asked[:2] == ["lab", "run"] or "--native" in asked
    return "simulated" in asked or (asked[0] in QUICK and not makes_hosts)


def text_of(file: Path) -> str:
    """A document as it is read: a lab's with the numbers of an example."""
    return rendered(file.parent) if file in LABS else file.read_text(encoding="utf-8")


def blocks() -> Iterator[Block]:
    """All fenced blocks of all documents."""
    for file in DOCUMENTS:
        text = text_of(file)
        for found in _FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1 + bool(found[1])
            place = f"{file.relative_to(ROOT)}:{line}"
            yield Block(place=place, language=found[2], text=textwrap.dedent(found[3]), not_run=found[1] or "")


def spans() -> Iterator[tuple[str, list[str]]]:
    """Place and arguments of each command in the running text: `testbed list policies`."""
    for file in DOCUMENTS:
        text = _FENCE.sub("", text_of(file))
        for found in re.finditer(r"`((?:sudo )?testbed\s[^`]+)`", text):
            asked = arguments(shlex.split(found[1]))
            assert asked is not None
            yield str(file.relative_to(ROOT)), ["hello" if word == "SCENARIO" else word for word in asked]


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
    """What ``testbed`` is given in a command; None: it is another's. Of Vagrant's and a machine's the one inside."""
    words = command[1:] if command[:1] == ["sudo"] else command
    if words[:2] == ["vagrant", "ssh"]:
        return next(found for each in commands(words[-1]) if (found := arguments(each)) is not None)
    if words[:2] == [BOOTSTRAP, "machine"]:
        _, inside = parse(words[2:])
        return arguments(inside)
    given = list(takewhile(lambda word: word != ">", words[1:]))
    return given if words[:1] in ([TESTBED], [BOOTSTRAP]) else None


def check(asked: list[str]) -> None:
    """Fails unless there is such a command with such options, for a scenario that there is. Nothing is run."""
    command: Any = get_command(app)
    name, *rest = with_defaults(asked)
    while hasattr(command, "commands"):
        assert name in command.commands, f"there is no command '{name}'"
        command = command.commands[name]
        if hasattr(command, "commands"):
            name, *rest = rest
    given = command.make_context(name, rest).params
    files = re.search(r"/|\.yaml\b", " ".join([given.get("scenario", "/") or "", *(given.get("set_") or [])]))
    if name in _TAKES_A_SCENARIO and not files:  # which are the reader's
        load(given["scenario"] or "fast-motion", overrides=given["set_"] or [])


def fresh_shell(text: str, where: Path, folder: str = "") -> "subprocess.CompletedProcess[str]":
    """A block as somebody would paste it into a new terminal, in a home with what ran there before. Fails where a
    line does. ``testbed`` is what ``bootstrap`` makes of this checkout; ``sudo`` does nothing here.
    """
    tools, home = where / "bin", where / "home"
    if not tools.exists():
        _make_tools(tools)
        home.mkdir()
    environment = {"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home)}
    environment |= {name: value for name, value in os.environ.items() if name == "TESTBED_TEST_SESSION"}
    return subprocess.run(
        ["/bin/bash", "-eo", "pipefail", "-c", text],
        cwd=home / folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _make_tools(tools: Path) -> None:
    tools.mkdir()
    made = (ROOT / "bootstrap").read_text().split("# ---- Commands", maxsplit=1)[0]
    makes = f"is_root() {{ true; }}\nname={tools}/testbed\nvenv={sys.prefix}\ninstall_name\n"
    (tools / "make").write_text(f"{made}\n{makes}")
    subprocess.run(["/bin/bash", tools / "make"], check=True)
    (tools / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (tools / "sudo").chmod(0o755)


def steps(text: Iterable[Block], where: Path) -> Iterator[tuple[Block, "subprocess.CompletedProcess[str]"]]:
    """A document's blocks, one after the other, by somebody who does what it says: of a lab, in a folder of it, with
    right answers to whatever can be answered by then. Where no block of the lab looks at a page, its runs draw none.
    """
    of_one = list(text)
    if not (of_one and of_one[0].of_lab):
        for block in of_one:
            yield block, fresh_shell(block.text, where)
        return
    lab = LabFolder.read((ROOT / of_one[0].document).parent)
    begun = fresh_shell(f"testbed lab start {lab.name} --as {EXAMPLE}", where)
    assert begun.returncode == 0, begun.stderr
    looked_at = any(re.search(r"report\.html|figures/|testbed serve", block.text) for block in of_one)
    modelled_as = r"\1 --engine simulated" + ("" if looked_at else " --no-page")
    done = set[str]()
    for block in of_one:
        run = r"(?:sudo )?(testbed lab run[^\n]*?)(?: --engine simulated)?$"
        modelled = re.sub(run, modelled_as, block.text, flags=re.MULTILINE)
        if modelled in done:  # the same run, which a text has for those with root and for those without
            continue
        done.add(modelled)
        answer(lab, where / "home" / lab.name)
        # What is set by each student is not set here, and that is told: 1.
        open_or_not = modelled.replace("testbed lab check\n", "testbed lab check || test $? = 1\n")
        yield block, fresh_shell(open_or_not, where, lab.name)
