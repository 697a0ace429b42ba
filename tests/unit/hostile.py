"""A folder in which every module that anybody might import lies, and says so when it is."""

import subprocess
import sys
import sysconfig
from pathlib import Path

SAYS = "import sys; sys.stderr.write('HOSTILE {0}\\n')\nraise SystemExit('{0} of the current folder was run')\n"
OURS = ("testbed", "guest_agent", "topologies", "tests")
_BEFORE_US = "import sys; print(*sys.modules)"


def hostile_folder(folder: Path, but: frozenset[str] = frozenset()) -> Path:
    """Files and packages named as Python's own modules, as all that is installed here, and as our own; ``but``: not."""
    folder.mkdir(parents=True)
    site = Path(sysconfig.get_paths()["purelib"])
    installed = {path.name.partition(".")[0] for path in site.iterdir() if "-" not in path.name}
    names = {*sys.stdlib_module_names, *installed, *OURS, "mininet", "sitecustomize", "usercustomize"} - but
    for name in sorted(filter(str.isidentifier, names)):
        file = folder / f"{name}.py"
        if name in ("mininet", "rich", "xml", *OURS):
            (folder / name).mkdir()
            file = folder / name / "__init__.py"
        file.write_text(SAYS.format(name))
    return folder


def imported_by_python_itself(python: str, where: Path) -> frozenset[str]:
    """What ``python -m ANYTHING`` imports before that runs: the current folder may shadow it, whatever we do."""
    where.mkdir()
    (where / "anything.py").write_text(_BEFORE_US)
    done = subprocess.run([python, "-m", "anything"], cwd=where, capture_output=True, text=True, check=True)
    return frozenset(name.partition(".")[0] for name in done.stdout.split())
