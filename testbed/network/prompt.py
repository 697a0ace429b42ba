"""Mininet's prompt at the hosts of a fabric, with commands beside its own: ``esx1 ping client``, ``net``, ``migrate``.

The second file that knows Mininet: its prompt is a class to derive from.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from testbed.core.errors import TestbedError
from testbed.core.names import by_name
from testbed.network.fabric import Fabric, quiet_import

Command: TypeAlias = Callable[[str], None]
"""Is given the rest of its line. Its docstring is its help; a ``TestbedError`` is said, and the prompt goes on."""


def prompt(fabric: Fabric, commands: Mapping[str, Command], text: str) -> bool:
    """Until ``exit`` or the end of stdin. True when a command has asked for another prompt, by raising ``Leave``."""
    with quiet_import():
        base = by_name.imported("mininet.cli").CLI
    # Mininet would keep a history in the user's home.
    body: dict[str, object] = {"prompt": text, "readlineInited": True}

    def onecmd(self: Any, line: str) -> Any:
        """Mininet's own commands need its hosts, which a command of ours may have taken down."""
        word = (line.split() or [""])[0]
        if fabric.net is None and word not in (*commands, "exit", "quit", "help", "EOF", ""):
            sys.stderr.write(f"the hosts of '{word}' are gone; 'again' makes new ones\n")
            return None
        return base.onecmd(self, line)

    body["onecmd"] = onecmd
    if not sys.stdin.isatty():
        body["waitForNode"] = _wait_for
    made = type("Prompt", (base,), body | {f"do_{name}": _command(function) for name, function in commands.items()})
    try:
        made(fabric.net, stdin=sys.stdin)
    except Leave:
        return True
    return False


class Leave(Exception):
    """The hosts of this prompt are to go, and others to come."""


def _wait_for(_self: Any, node: Any) -> None:
    """Mininet's own gives a host's command what is on stdin: from a file that would be the commands after it."""
    while node.waiting:
        sys.stdout.write(node.monitor())
        sys.stdout.flush()


def _command(function: Command) -> Callable[[Any, str], None]:
    def do(_self: Any, line: str) -> None:
        try:
            function(line.strip())
        except TestbedError as fault:
            sys.stderr.write(f"{fault}\n")

    do.__doc__ = function.__doc__
    return do
