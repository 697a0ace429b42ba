"""``new``: a scenario or a grid to begin with, and beside it the schema by which editors complete it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.options import scenario_names
from testbed.core.errors import ScenarioError


def new(
    name: Annotated[str, typer.Argument(help="its name, or its file: mine, exercises/mine.yaml")],
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="SCENARIO", help="begin with this one", autocompletion=scenario_names),
    ] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="a grid of it instead, for testbed sweep")] = False,
) -> None:
    """Begin a scenario: NAME.yaml, with comments, valid as it is; prints where it is. Nothing is written over.

    Example: testbed new mine --from hello
    """
    from testbed import scenarios
    from testbed.core.text.yaml_text import text_of
    from testbed.linux.files import owned
    from testbed.runfiles.folder import ANOTHER_PLACE, writing
    from testbed.scenario import extends, load
    from testbed.scenario.scenario import file_of, named
    from testbed.scenarios import beginning
    from testbed.sweeps.grid import load as load_grid
    from testbed.sweeps.grid import set_too

    file = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    schema = file.parent / (beginning.GRID_SCHEMA if sweep else beginning.SCHEMA)
    if sweep:
        base = source or "hello"
        own = not set_too(extends.whole(file_of(base)), beginning.AXIS)
        content = beginning.grid(named(file.stem), file.name, _by_the_way(base, file), own_matrix=own)
    else:
        content = beginning.text(named(file.stem), file.name, None if source is None else text_of(file_of(source)))
    with writing(file.parent, ANOTHER_PLACE, file.name):
        owned.make_folder(file.parent)
        _create(file, content.encode())
        with _or_nothing(file):
            if not schema.exists():
                _create(schema, (scenarios.folder() / schema.name).read_bytes())
            load_grid(file) if sweep else load(file)
    sys.stdout.write(f"{file}\n")


def _by_the_way(source: str, file: Path) -> str:
    """How ``extends`` in that file names the other: a name as it is, a file by the way from this one."""
    from testbed.scenario.extends import is_file

    if not is_file(source):
        return source
    path = os.path.relpath(source, file.parent)
    return path if path.startswith(".") else f"./{path}"


def _create(file: Path, content: bytes) -> None:
    """Whole or not at all. Raises ``ScenarioError`` where something of that name is already."""
    from testbed.linux.files import owned

    try:
        new_file = owned.create(file)
    except FileExistsError as error:
        raise ScenarioError("is there already, and nothing is written over; give another name", str(file)) from error
    with _or_nothing(file), new_file:
        new_file.write(content)


@contextmanager
def _or_nothing(file: Path) -> Iterator[None]:
    """Takes away what was made by then, so that the same command can be given again when that is mended."""
    from testbed.linux.files import owned

    try:
        yield
    except BaseException:
        owned.remove(file)
        raise
