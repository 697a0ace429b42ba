"""``docs``: the documents, the labs and their slides, as a site in a browser."""

import subprocess
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.commands.serve import Host, Port, told
from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.linux.files import installed

SITE = "docs/_build/html"
"""Where ``bootstrap docs`` leaves it in a checkout."""
PACKED = "testbed/site"
"""Where it is in a package that was built of such a checkout."""


def docs(
    port: Port = 8080,
    host: Host = "127.0.0.1",
    build: Annotated[bool, typer.Option("--build", help="build it first, from the files as they are")] = False,
) -> int:
    """Show the documents, labs and slides as a site, with a search, until Ctrl-C. It asks nobody else for anything.

    Example: testbed docs
    """
    from testbed.web.folder import FIRST, site, until_interrupted

    root = installed.ROOT
    if build:
        _build(root)
    folder = root / (SITE if installed.is_checkout(root) else PACKED)
    if not (folder / FIRST).is_file():
        why = (
            "the site has not been built here" if installed.is_checkout(root) else "this package has no documents in it"
        )
        raise PrerequisiteMissing(why, _remedy(root))
    until_interrupted(site(folder), host, port, lambda where: told(f"the documents at {where} until Ctrl-C"))
    return 0


def _build(root: Path) -> None:
    """Says what it does. Raises ``TestbedError`` when that fails."""
    if not installed.is_checkout(root):
        raise PrerequisiteMissing("the documents are not beside this package", _remedy(root))
    if subprocess.run([root / "bootstrap", "docs"], check=False, stdin=subprocess.DEVNULL).returncode:
        raise TestbedError("the site could not be built, and what there was stays; why is said above")


def _remedy(root: Path) -> str:
    return (
        f"build it with: {installed.bootstrap(root)} docs"
        if installed.is_checkout(root)
        else "see them in a checkout: ./bootstrap docs"
    )
