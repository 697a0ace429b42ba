"""Which commands there are, and how each way of ending becomes an exit code and at most one red line."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from typer.main import get_command

from testbed.cli.commands import (
    audit,
    bench,
    clean,
    compare,
    doctor,
    export,
    listing,
    packets,
    predict,
    report,
    run,
    schema,
    serve,
    shell,
)
from testbed.cli.commands.course import arena, docs, grade, lab
from testbed.cli.commands.many import sweep, worker
from testbed.cli.commands.ready import completion, new, version
from testbed.core.errors import Interrupted, ReaderLeft, ScenarioError, TestbedError, in_words
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable
from testbed.linux.processes.interrupts import interruptible

PROGRAM = "testbed"
MOST_ERROR = 2000
"""Characters of the one line."""
DEFAULTS: dict[str, tuple[Callable[[str], object], str]] = {
    "--live": (re.compile("[0-9]+").fullmatch, str(run.LIVE_PORT)),
    **{option: (grade.is_output, file) for option, file in grade.DEFAULTS.items()},
}
"""What tells a value of each option that may stand without one where it is a word of its own, and the one that it has
without. Behind ``=`` stands a value, whatever it looks like.
"""

app = typer.Typer(
    name=PROGRAM,
    help="Fast Motion: a live-migration laboratory in a box.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _program(
    _version: Annotated[
        bool, typer.Option("--version", callback=version.show, is_eager=True, help="the version, and exit")
    ] = False,
) -> None:
    """Fast Motion: a live-migration laboratory in a box."""


app.command("run")(run.run)
app.command("sweep")(sweep.sweep)
app.command("worker")(worker.worker)
app.command("predict")(predict.predict)
app.command("list")(listing.list_names)
app.command("new")(new.new)
app.command("doctor")(doctor.doctor)
app.command("clean")(clean.clean)
app.command("schema")(schema.schema)
app.command("bench")(bench.bench)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("export")(export.export)
app.command("arena")(arena.arena)
app.command("audit")(audit.audit)
app.command("grade")(grade.grade)
app.command("serve")(serve.serve)
app.command("docs")(docs.docs)
app.command("shell")(shell.shell)
app.command("packets")(packets.packets)
app.command("completion")(completion.completion)
lab.app.command("autograder")(grade.autograder)
app.add_typer(lab.app, name="lab")


def run_command(argv: Sequence[str] | None = None) -> int:
    """One command. Faults of the user, of the machine and of a migration are one line; a traceback is our bug."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = get_command(app)
    if completion.VARIABLE in os.environ:
        completion.prepare()
    code = _ended(lambda: command.main(args=with_defaults(arguments), prog_name=PROGRAM, standalone_mode=False))
    return _ended(sys.stdout.flush) or code  # what is still to be written may fail, too


def _ended(do: Callable[[], object]) -> int:
    """Does it, and says how that ended."""
    try:
        with interruptible():
            code = do()
        return code if isinstance(code, int) else 0
    except ReaderLeft as gone:
        return gone.exit_code
    except (TestbedError, Interrupted) as end:
        return _fail(str(end), end.exit_code)
    except typer.TyperException as error:
        return _fail(_usage(error), ScenarioError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", Interrupted.exit_code)
    except OSError as error:  # whatever of this machine no seam has named
        nowhere = "" if error.filename or _stands() else "; the folder where you stand was deleted, go to another one"
        return _fail(in_words(error) + nowhere, TestbedError.exit_code)


def _stands() -> bool:
    """Whether there is a folder from which paths count."""
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def with_defaults(arguments: list[str]) -> list[str]:
    """Options that may stand without a value: their default is put in, where what follows is no value of theirs. Raises
    ``ScenarioError`` where that may be meant for one, and for an argument that is empty.
    """
    words: list[str] = []
    for index, word in enumerate(arguments):
        _refuse_empty(word, before=words[-1] if words else PROGRAM)
        if word == "--":
            if "" in arguments[index:]:
                _refuse_empty("", before=word)
            return words + arguments[index:]
        words.append(word)
        following = arguments[index + 1 : index + 2]
        if (known := DEFAULTS.get(word)) and not any(map(known[0], following)):
            if word in grade.DEFAULTS:
                grade.refuse_doubtful(word, following)
            words.append(known[1])
    return words


def _refuse_empty(word: str, before: str) -> None:
    """As a shell's variable is that has no value: what was meant is not what an option that is left out means, nor the
    folder where one stands.
    """
    if word and not re.fullmatch("--[a-z-]+=", word):
        return
    named = word[:-1] or before
    where = named if re.match("--?[a-z]", named) else f"the argument after '{named}'"
    raise ScenarioError("is empty; is it a variable without a value?", where)


def _fail(message: str, code: int) -> int:
    text = printable(f"{PROGRAM}: {message}", MOST_ERROR)
    red, plain = ("\x1b[31m", "\x1b[0m") if sys.stderr.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"{red}{text}{plain}", file=sys.stderr)
    return code


def _usage(error: typer.TyperException) -> str:
    """What was wrong on the command line, with the nearest right word or where to look."""
    context = getattr(error, "ctx", None)
    name = getattr(error, "option_name", None)
    message = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    if isinstance(name, str) and context is not None:
        known = [option for parameter in context.command.params for option in parameter.opts if option[:1] == "-"]
        return f"there is no option '{name}'; {nearest(name, [*known, '--help'])}"
    path = context.command_path if context is not None else PROGRAM
    first = (message[:1].lower() + message[1:]).replace(". Did you mean", "; did you mean")
    return first if "did you mean" in first else f"{first}; see: {path} --help"
