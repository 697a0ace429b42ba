"""``doctor``: what this machine can do, what is missing, and the command that mends it."""

import sys

from testbed.core.errors import PrerequisiteMissing


def doctor() -> int:
    """Show what this machine can do, what is missing (in brackets: not needed) and the command that mends it.

    Example: testbed doctor
    """
    from testbed.doctor.abilities import abilities
    from testbed.experiment.rootless import become_root
    from testbed.report.words.tables import Fitting, console

    styles = {"ok": "green", "missing": "red", "(missing)": "yellow"}
    table = Fitting(("what", "", "found", "mended by"), prose=("found", "mended by"), styles=styles)
    missing = []
    refused: PrerequisiteMissing | None = None
    try:
        become_root()  # what can be done there is what a run can do
    except PrerequisiteMissing as lack:
        refused = lack
    for each in abilities(refused):
        state = "ok" if each.works else "missing" if each.needed else "(missing)"
        table.row(each.what, state, each.detail, "" if each.works else each.remedy)
        missing += [each.what] if each.needed and not each.works else []
    console(sys.stdout).print(table)
    _show_fitting()
    if missing:
        raise PrerequisiteMissing(f"no run is possible without {', '.join(missing)}", "see 'mended by' above")
    return 0


def _show_fitting() -> None:
    """Which scenarios can be made here, and with what the others."""
    from testbed.doctor import fitting
    from testbed.experiment.machine import tried
    from testbed.report.words.tables import Fitting, console

    here = tried(fitting.plans())
    styles = {"fits": "green", "near": "yellow", "too slow": "red", "too large": "red"}
    table = Fitting(
        ("scenario", ">memory", ">processors", "here", "what fits"), spare=("processors", "memory"), styles=styles
    )
    for each in fitting.rows(here):
        table.row(each.scenario, each.memory, each.processors, each.verdict, each.fits_with)
    out = console(sys.stdout)
    out.print()
    out.print(table)
    out.print(fitting.told(here))
