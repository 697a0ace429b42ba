"""``new``: a scenario to begin with, and beside it the schema by which editors complete it."""

import sys
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
) -> None:
    """Begin a scenario: NAME.yaml, with comments, valid as it is; prints where it is. Nothing is written over.

    Example: testbed new mine --from hello
    """
    from testbed import scenarios
    from testbed.core.text.yaml_text import text_of
    from testbed.linux.files import owned
    from testbed.runfiles.folder import writing
    from testbed.scenario import load
    from testbed.scenario.extends import by_name, is_file
    from testbed.scenario.scenario import named
    from testbed.scenarios import beginning

    file = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    begun = None if source is None else text_of(Path(source) if is_file(source) else by_name(source))
    content = beginning.text(named(file.stem), file.name, begun)
    schema = file.parent / beginning.SCHEMA
    with writing(file.parent):
        owned.make_folder(file.parent)
        _create(file, content.encode())
        if not schema.exists():
            _create(schema, (scenarios.folder() / beginning.SCHEMA).read_bytes())
    try:
        load(file)
    except ScenarioError:
        owned.remove(file)
        raise
    sys.stdout.write(f"{file}\n")


def _create(file: Path, content: bytes) -> None:
    """Raises ``ScenarioError`` where something of that name is already."""
    from testbed.linux.files import owned

    try:
        with owned.create(file) as new_file:
            new_file.write(content)
    except FileExistsError as error:
        raise ScenarioError("is there already, and nothing is written over; give another name", str(file)) from error
