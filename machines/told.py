"""What this machine's apt and pip are told, for one that is to reach the same packages: where, how, by whose word.

Nothing here knows a place by name. Where nothing is told, each tool's own defaults hold.
"""

import os
import subprocess
import sys
from pathlib import Path

from machines.faults import MachineError
from machines.kinds import Kind

BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
WHEELS = "/opt/fast-motion/wheels"
_APT = ("Acquire::http", "Acquire::https", "Acquire::ftp", "Acquire::Check", "Acquire::Retries", "Acquire::Max-Valid")
GLIBC = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""What wheels are asked for: what every machine that is supported takes. Of a wheel by its older names (manylinux1) pip
knows only where it is asked by that of 2014."""
_ASKED_OF_PYPI = tuple(f"requirements{extra}.txt" for extra in ("", "-dev", "-docs", "-sweep"))


def apt_options(dump: str) -> list[str]:
    """Of what `apt-config dump` says, how to reach anything: proxies, certificates, whether dates are believed."""
    wanted = (line.strip() for line in dump.splitlines() if line.startswith(_APT))
    return [line for line in wanted if not line.endswith(' "";')]


def mirrors(targets: str) -> list[str]:
    """The places of Debian's own packages, of `apt-get indextargets`: the archive first, then security's."""
    found = [line.split(" ", 1)[1].strip() for line in targets.splitlines() if line.startswith("Debian ")]
    return sorted(set(found), key=lambda place: ("security" in place, place))


def sources(kind: Kind, places: list[str]) -> list[str]:
    """Lines of sources.list for a suite. None where apt here knows no Debian: mmdebstrap has places of its own."""
    lines = []
    for place in places:
        suites = [f"{kind.suite}-security"] if "security" in place else [kind.suite, f"{kind.suite}-updates"]
        lines += [f"deb {place} {suite} main" for suite in suites]
    return lines


def of_apt() -> tuple[list[str], list[str]]:
    """Options and Debian's places, as apt of this machine has them; nothing of either without apt."""
    dump = _said("apt-config", "dump", "Acquire")
    targets = _said("apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages")
    return apt_options(dump), mirrors(targets)


def wheels_command(kind: Kind, checkout: Path, into: Path) -> list[str]:
    """The pip of this Python fetches what that machine's pip will install: the pins, as wheels, for its Python."""
    glibc = [word for name in GLIBC for word in ("--platform", f"{name}_{kind.machine}")]
    pins = [word for name in _ASKED_OF_PYPI for word in ("--requirement", str(checkout / name))]
    pip = [sys.executable, "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    only = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    where = ["--implementation", "cp", "--python-version", kind.python, *glibc]
    return [*pip, "download", *only, *where, "--dest", str(into), *pins]


def fetch_wheels(kind: Kind, checkout: Path, into: Path) -> None:
    """All pins, for that machine. Raises ``MachineError`` with what pip says of the first that is not there."""
    into.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(wheels_command(kind, checkout, into), capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineError(f"pip could not fetch the pins for {kind.name}: {why(done.stderr)}")


def why(stderr: str) -> str:
    """What pip says of the first that it could not fetch, in one line."""
    said = stderr.splitlines()
    wrong = [line.strip().rstrip(":") for line in said if line.startswith("    ") and " from " in line]
    if wrong and "DO NOT MATCH THE HASHES" in stderr:
        return f"another sha256 is written down for {wrong[0]} (CONTRIBUTING.md, Pins)"
    return ([line for line in said if "ERROR" in line] or said or ["nothing"])[-1]


def lay(into: Path, options: list[str]) -> None:
    """The files of that machine's /etc that pass it on. Its pip asks nobody: all it needs was fetched for it."""
    apt, pip = into / "etc/apt/apt.conf.d/90told", into / "etc/pip.conf"
    for file, text in ((apt, "".join(f"{line}\n" for line in options)), (pip, _PIP)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    if BUNDLE.is_file():
        own = into / "etc/ssl/certs" / BUNDLE.name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(BUNDLE.read_bytes())


_PIP = f"[global]\nno-index = true\nfind-links = {WHEELS}\n"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    except OSError:
        return ""
    return done.stdout
