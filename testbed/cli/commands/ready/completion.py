"""``completion``: what makes a shell complete commands, options, scenarios, policies and run folders."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

VARIABLE = "_TESTBED_COMPLETE"
"""Set by the shell when it asks what may follow."""


class ShellName(StrEnum):
    """Shells that can ask."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[ShellName, typer.Argument(help="whose language")]) -> None:
    """Print what makes a shell complete commands, options, scenarios, policies and run folders.

    Example: testbed completion bash >> ~/.bash_completion
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script = get_completion_script(prog_name="testbed", complete_var=VARIABLE, shell=shell.value)
    sys.stdout.write(f"{script}\n")


def prepare() -> None:
    """Lets the answers be in the words of these shells, before a command is asked for them."""
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
