"""A run of a lab made again: of the lab's own scenario, with numbers that are drawn again, and with nothing of what was
handed in but the values that the lab leaves to students.
"""

import json
from pathlib import Path

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.text.printable import printable
from testbed.experiment.run import run_scenario
from testbed.grades.rerun.claims import figures
from testbed.grades.rerun.messages import NotRunAgain, RunAgain, RunAnswer, Wanted
from testbed.labs.catalogue import LabFolder
from testbed.linux.files.scratch import scratch
from testbed.scenario import document as documents
from testbed.scenario import load
from testbed.scenario.document import parts


def answered(lab: LabFolder, wanted: Wanted) -> RunAnswer:
    """What comes of it. Raises nothing but ``Interrupted``."""
    try:
        return run_again(lab, wanted)
    except (TestbedError, OSError) as fault:
        return NotRunAgain(
            why=printable(str(fault), 2000), exit_code=getattr(fault, "exit_code", TestbedError.exit_code)
        )


def run_again(lab: LabFolder, wanted: Wanted) -> RunAgain:
    """Makes it and leaves nothing behind. Raises as ``run_scenario`` does, and ``ScenarioError`` where code that is not
    ours would have to be run.
    """
    run = lab.spec.runs.get(wanted.run)
    strange = next((path for path in wanted.settings if run is not None and path not in run.set), "")
    if run is None or strange:
        raise ScenarioError(f"the lab has no run '{wanted.run:.40}' in which {strange or 'anything'} may be set")
    scenario = documents.parse(lab.scenario(wanted.run, lab.drawn(wanted.course, wanted.student)), run.scenario)
    for path, value in wanted.settings.items():
        scenario = scenario.with_value(parts(path), value, run.scenario)
    with scratch("again") as made:
        file = made / run.scenario
        file.write_text(json.dumps(scenario.tree), encoding="utf-8")  # which is YAML, too
        again = load(file, own_code=_refused)
        out = made / "run"
        return figures(run_scenario(again, out=out, engine=wanted.engine, page=False))


def _refused(file: Path) -> None:
    raise ScenarioError(f"it would run the student's own code ({printable(file.name, 60)})")
