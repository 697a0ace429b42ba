"""Mininet's prompt at the hosts of a fabric, with commands beside its own: ``esx1 ping client``, ``net``, ``migrate``.

The second file that knows Mininet: its prompt is a class to derive from.
"""

import os
import re
import select
import shlex
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.names import by_name
from testbed.network.fabric import Fabric, quiet_import

Command: TypeAlias = Callable[[list[str]], None]
"""Is given the words after it. Its docstring is its help; a ``TestbedError`` is said, and the prompt goes on."""
_LOOK_S = 0.2


def prompt(fabric: Fabric, commands: Mapping[str, Command], text: str, later: list[str]) -> bool:
    """Until ``exit`` or the end of stdin. True when a command has asked for another prompt, by raising ``Leave``; then
    ``later`` has what ``source`` has read for that one.
    """
    with quiet_import():
        base = by_name.imported("mininet.cli").CLI

    def onecmd(self: Any, line: str) -> Any:
        """Mininet's own commands need its hosts, which a command of ours may have taken down; and their faults, as of a
        host that is gone, are no reason to take down the others.
        """
        word = (line.split() or [""])[0]
        if fabric.net is None and word not in (*commands, "exit", "quit", "help", "EOF", ""):
            return _say(f"the hosts of '{word}' are gone; 'again' makes new ones")
        try:
            return base.onecmd(self, line)
        except Leave:
            later[:] = self.cmdqueue
            raise
        except Exception as fault:
            if word in commands:
                raise
            return _say(f"'{line.strip()}' failed: {type(fault).__name__}: {fault}")

    def preloop(self: Any) -> None:
        """Also after Ctrl-C, which is meant for all lines that were to come."""
        self.cmdqueue = later[:]
        later.clear()

    # Mininet would keep a history in the user's home.
    body: dict[str, object] = {"prompt": text, "readlineInited": True, "onecmd": onecmd, "preloop": preloop}
    body |= {"precmd": _without_comment, "do_source": _source, "waitForNode": _wait_for}
    made = type("Prompt", (base,), body | {f"do_{name}": _command(function) for name, function in commands.items()})
    try:
        made(fabric.net, stdin=sys.stdin)
    except Leave:
        return True
    return False


class Leave(Exception):
    """The hosts of this prompt are to go, and others to come."""


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _without_comment(_self: Any, line: str) -> str:
    """Mininet's own begins a comment at any ``#``, within quotes too."""
    begins = (match.start() for match in re.finditer(r"(?:^|\s)#", line))
    return line[: next((at for at in begins if not line[:at].count("'") % 2 | line[:at].count('"') % 2), len(line))]


def _source(self: Any, line: str) -> None:
    """source FILE: its lines, as if they were typed."""
    try:
        self.cmdqueue[:0] = Path(line.strip()).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as fault:
        _say(f"'source {line.strip()}' was not done: {fault.strerror}")


def _wait_for(self: Any, node: Any) -> None:
    """Mininet's own waits for ever where a host's shell has ended, and gives its command what is on stdin: from a file
    that would be the commands after it.
    """
    typed = [self.stdin] if self.isatty() else []
    with _by_character(typed):
        while node.waiting:
            try:
                ready, _, _ = select.select([node.stdout, *typed], [], [], _LOOK_S)
                if self.stdin in ready:
                    node.write(os.read(self.stdin.fileno(), 1024).decode(errors="replace"))
                if node.stdout in ready:
                    sys.stdout.write(node.monitor())
                    sys.stdout.flush()
                elif node.shell.poll() is not None:
                    node.waiting = False
                    _say(f"the shell of {node.name} has ended, and the host with it; 'again' makes new ones")
            except KeyboardInterrupt:
                node.sendInt()


@contextmanager
def _by_character(terminals: list[Any]) -> Iterator[None]:
    """What is typed arrives as it is typed, so that a command that asks in a host can be answered."""
    before = [(terminal, termios.tcgetattr(terminal)) for terminal in terminals]
    try:
        for terminal, (*modes, local, incoming, outgoing, characters) in before:
            modes += [local & ~termios.ICANON, incoming, outgoing, characters]
            termios.tcsetattr(terminal, termios.TCSANOW, modes)
        yield
    finally:
        for terminal, old in before:
            termios.tcsetattr(terminal, termios.TCSADRAIN, old)


def _command(function: Command) -> Callable[[Any, str], None]:
    def do(_self: Any, line: str) -> None:
        try:
            function(_words(line))
        except TestbedError as fault:
            _say(str(fault))

    do.__doc__ = function.__doc__
    return do


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as fault:
        raise ScenarioError(f"{str(fault).lower()}: {line}") from fault
