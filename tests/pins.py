"""The pins: what the requirements files name, which wheels are meant, and whether all of them are to be had.

    .venv/bin/python -m tests.pins            asks pip, from wherever it is configured to look, what it would install on
                                              each machine that is supported; says which pins it has no wheel for, and
                                              whose hashes are others than those written down: exit code 1
    .venv/bin/python -m tests.pins --write    writes down the hashes of what it has

Started in the checkout. No wheel is fetched where the index tells hashes and metadata, as PyPI does. Python's own
modules and pip are enough, so this works in a virtual environment, too, whose installation was refused.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from machines.told import GLIBC

CHECKOUT = Path(__file__).resolve().parent.parent
FILES = tuple(f"requirements{extra}.txt" for extra in ("", "-dev", "-docs", "-sweep"))
SUPPORTED = tuple((python, machine) for python in ("3.11", "3.12", "3.13") for machine in ("x86_64", "aarch64"))
"""For each of these every pin must have a wheel: Debian 12, Ubuntu 24.04, Debian 13."""
COMING = tuple(("3.14", machine) for _, machine in SUPPORTED[:2])
"""What the next releases have: where there is a wheel its hash is written down, so that nobody is kept from trying."""
PIN = re.compile(r"([A-Za-z0-9_.-]+)==([0-9][0-9.]*(?:b[0-9]+)?)((?: --hash=sha256:[0-9a-f]{64})*)")
NOT_THERE = re.compile(r"No matching distribution found for ([A-Za-z0-9_.-]+)==")

Machine = tuple[str, str]
"""A version of Python, and a processor as Python calls it."""
Had = Mapping[Machine, Mapping[str, str]]
"""For each machine the sha256 of the wheel of each package that is to be had for it, by the package's plain name."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A package by its name as it is written, its one version, and the sha256 of each wheel that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name as indexes compare it (PEP 503)."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    def __str__(self) -> str:
        """One block of a file."""
        return " \\\n    ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{each}" for each in self.hashes)])


def lines(text: str) -> Iterable[Pin | str]:
    """A file's pins, each of as many lines as it has, its comments and its empty lines. Raises ``ValueError``."""
    for line in re.sub(r" *\\\n *", " ", text).splitlines():
        if not line or line.startswith("#"):
            yield line
        elif found := PIN.fullmatch(line):
            yield Pin(found[1], found[2], tuple(re.findall("sha256:(.{64})", found[3])))
        else:
            raise ValueError(f"this is no pin: {line}")


def read(file: str) -> dict[str, Pin]:
    """The pins of a file of the checkout, by their plain names. Raises ``ValueError`` for what stands there twice."""
    found = [each for each in lines((CHECKOUT / file).read_text("utf-8")) if isinstance(each, Pin)]
    twice = {each.key for each in found if sum(other.key == each.key for other in found) > 1}
    if twice:
        raise ValueError(f"{file} names {', '.join(sorted(twice))} more than once")
    return {each.key: each for each in found}


def found_hashes(pin: Pin, had: Had) -> tuple[str, ...]:
    """Those of a pin in the order of the machines, each once. What was written down stays where a machine has none."""
    found = [had[machine][pin.key] for machine in (*SUPPORTED, *COMING) if pin.key in had[machine]]
    kept = () if all(pin.key in had[machine] for machine in SUPPORTED) else pin.hashes
    return tuple(dict.fromkeys([*found, *kept]))


def written(text: str, had: Had) -> str:
    """A file with the hashes of what is to be had. Comments, order and versions stay."""
    new = (replace(each, hashes=found_hashes(each, had)) if isinstance(each, Pin) else each for each in lines(text))
    return "".join(f"{each}\n" for each in new)


def complaints(pins: Iterable[Pin], had: Had) -> list[str]:
    """In words, a line each: which pins are not to be had for which machines, and which are with another hash."""
    told = []
    for pin in pins:
        missing = [" ".join(machine) for machine in SUPPORTED if pin.key not in had[machine]]
        other = [" ".join(machine) for machine in SUPPORTED if had[machine].get(pin.key) not in {None, *pin.hashes}]
        told += [f"{pin.name}=={pin.version}: no wheel for {', '.join(missing)}"] if missing else []
        told += [f"{pin.name}=={pin.version}: another hash for {', '.join(other)}"] if other else []
    return told


# ---- What pip says ---------------------------------------------------------------------------------------------------


def to_be_had(machine: Machine, pins: Iterable[Pin]) -> dict[str, str]:
    """What pip would install there, found without a machine of that kind: sha256 by plain name, and no pin that has no
    wheel. Raises ``RuntimeError`` with pip's words for any other failure.
    """
    wanted = {pin.key: f"{pin.name}=={pin.version}\n" for pin in pins}
    with tempfile.TemporaryDirectory(prefix="testbed-pins-") as folder:
        names, report = Path(folder, "names"), Path(folder, "report")
        while wanted:
            names.write_text("".join(wanted.values()), encoding="utf-8")
            report.write_text('{"install": []}', encoding="utf-8")
            done = subprocess.run(command(machine, names, report), capture_output=True, text=True, check=False)
            if not done.returncode:
                return of_report(report.read_text("utf-8"))
            lacking = {Pin(name, "0").key for name in NOT_THERE.findall(done.stderr)} & wanted.keys()
            if not lacking or "Retrying (" in done.stderr:  # an index that was not reached has no wheel either
                raise RuntimeError(f"pip could not say what it would install: {done.stderr.strip()}")
            wanted = {key: line for key, line in wanted.items() if key not in lacking}
    return {}


def command(machine: Machine, names: Path, report: Path) -> list[str]:
    """How pip is asked what it would install on a machine, which it does not do."""
    python, processor = machine
    pip = [sys.executable, "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    glibc = [word for name in GLIBC for word in ("--platform", f"{name}_{processor}")]
    only = ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python, *glibc]
    nothing = ["--dry-run", "--ignore-installed", "--target", f"{names}-nowhere"]
    return [*pip, *only, *nothing, "--requirement", str(names), "--report", str(report)]


def of_report(text: str) -> dict[str, str]:
    """The sha256 of each wheel of pip's report, by plain name. Of a wheel in a folder pip tells none."""
    found = {}
    for each in json.loads(text)["install"]:
        place = each["download_info"]
        told = place["archive_info"].get("hashes", {}).get("sha256")
        if told is None and place["url"].startswith("file:"):
            told = hashlib.sha256(Path(unquote(urlsplit(place["url"]).path)).read_bytes()).hexdigest()
        if told is None:
            raise RuntimeError(f"no sha256 is told for {place['url']}")
        found[Pin(each["metadata"]["name"], "0").key] = told
    return found


def main(words: list[str], ask: Callable[[Machine, Iterable[Pin]], dict[str, str]] = to_be_had) -> int:
    """Checks the pins of the checkout, or writes their hashes down; returns the exit code."""
    about = "Are all pins to be had, and are they what is written down?"
    parser = argparse.ArgumentParser(prog="python -m tests.pins", description=about)
    parser.add_argument("--write", action="store_true", help="write down the hashes of what pip finds")
    write = parser.parse_args(words).write
    pins = {key: pin for file in FILES for key, pin in read(file).items()}
    had: dict[Machine, dict[str, str]] = {}
    for machine in (*SUPPORTED, *COMING):
        try:
            had[machine] = ask(machine, pins.values())
        except RuntimeError as error:
            sys.stderr.write(f"{' '.join(machine)}: {error}\n")
            return 3
        sys.stderr.write(f"{' '.join(machine)}: {len(had[machine])} of {len(pins)} pins\n")
    if write:
        for file in FILES:
            place = CHECKOUT / file
            place.write_text(written(place.read_text("utf-8"), had), encoding="utf-8")
        pins = {key: pin for file in FILES for key, pin in read(file).items()}
    told = complaints(pins.values(), had)
    sys.stdout.writelines(f"{line}\n" for line in told)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
