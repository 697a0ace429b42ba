"""The process of ``lacking``: tells as JSON what no run is possible without and is not there, a line for each."""

import json
import sys

from testbed.core.errors import PrerequisiteMissing
from testbed.doctor.abilities import abilities
from testbed.experiment.rootless import become_root
from testbed.linux.processes.process import die_with_parent


def main() -> None:
    """Enters what a run would enter, and tries there."""
    die_with_parent()
    refused: PrerequisiteMissing | None = None
    try:
        become_root()
    except PrerequisiteMissing as lack:
        refused = lack
    lacking = [f"{each.what}: {each.remedy}" for each in abilities(refused) if each.needed and not each.works]
    sys.stdout.write(f"{json.dumps(lacking)}\n")


if __name__ == "__main__":
    main()
