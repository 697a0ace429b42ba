"""``compare``: runs side by side, with medians, intervals and a verdict in words."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from testbed.cli.options import run_folders
from testbed.core.errors import ScenarioError

if TYPE_CHECKING:
    from testbed.report.side.conditions import JudgedCondition


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of runs", autocompletion=run_folders)],
    anyway: Annotated[bool, typer.Option("--anyway", help="compare what is not comparable, saying so")] = False,
    paired: Annotated[
        bool,
        typer.Option("--paired/--unpaired", help="groups of the same seeds by pairs, or as if they had others"),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="the comparison as JSON on stdout")] = False,
    page: Annotated[Path | None, typer.Option(help="write a page with charts to this file")] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE=SHARE%", help="exit with 1 where it is so much more: slower=5%"),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="write what --fail-if found to this file, as JUnit's XML")] = None,
) -> int:
    """Lay runs side by side. Runs of one scenario count as repeats of one another.

    Example: testbed compare results/a results/b --fail-if slower=5%
    """
    from testbed.core.text.printable import printable
    from testbed.report.side import comparison, data, words
    from testbed.report.side.conditions import condition, judged
    from testbed.report.side.sentence import sentences
    from testbed.report.words.tables import console

    if junit and not fail_if:
        raise ScenarioError("--junit says what --fail-if found; add --fail-if slower=5%")
    _check_outputs(runs, {"--page": page, "--junit": junit})
    conditions = [condition(each) for each in fail_if or ()]
    compared = comparison.laid(runs, anyway=anyway, paired=paired)
    for reason in compared.reasons:
        sys.stderr.write(f"compared although {printable(reason)}\n")
    for note in compared.notes:
        sys.stderr.write(f"{printable(note)}\n")
    if as_json:
        sys.stdout.write(json.dumps(data.as_data(compared), indent=2) + "\n")
    else:
        for sentence in sentences(compared.lines):
            sys.stdout.write(f"{printable(sentence)}\n")
        console(sys.stdout, 200).print(words.table(compared.lines))
    if page:
        from testbed.report.side.page import write

        write(page, compared)
        sys.stderr.write(f"{page}\n")
    return _concluded(judged(compared, conditions), junit)


def _check_outputs(runs: "Sequence[Path]", outputs: "Mapping[str, Path | None]") -> None:
    """Before anything is read: no run's record is written over, nor one output over the other. Raises
    ``ScenarioError``.
    """
    from testbed.runfiles.folder import RunFolder

    folders = map(RunFolder, runs)
    kept = [file for each in folders for file in (each.summary, each.samples, each.pages, each.scenario, each.log)]
    taken = {os.path.realpath(file): "is a run's record" for file in kept}
    for option, file in outputs.items():
        if file is None:
            continue
        real = os.path.realpath(file)
        if why := taken.get(real):
            raise ScenarioError(f"{file} {why}; name another file", option)
        taken[real] = f"is the file of {option}, too"


def _concluded(found: "Sequence[JudgedCondition]", junit: Path | None) -> int:
    """Each condition in a line on stderr, and as a case; 1 where one is shown to be broken, and only then."""
    from testbed.core.text.printable import printable
    from testbed.exports.junit import JUnitCase, document
    from testbed.report.side.several import BoundStanding
    from testbed.runfiles.folder import ANOTHER_FILE, put

    kinds: dict[BoundStanding, Literal["", "failure", "skipped"]] = {
        BoundStanding.BEYOND: "failure",
        BoundStanding.WITHIN: "",
        BoundStanding.OPEN: "skipped",
    }
    for each in found:
        sys.stderr.write(f"{printable(str(each))}\n")
    if junit:
        cases = [
            JUnitCase(of="testbed.compare", name=each.name, kind=kinds[each.standing], message=str(each))
            for each in found
        ]
        put(junit, document([("testbed compare", cases)]).encode(), ANOTHER_FILE)
        sys.stderr.write(f"{printable(str(junit))}\n")
    return int(any(each.standing is BoundStanding.BEYOND for each in found))
