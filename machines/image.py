"""One image, made from the distribution's packages alone and put into the cache whole."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from machines import children, told
from machines.cache import Image
from machines.faults import MachineError, ToolMissing
from machines.kinds import KINDS, PACKAGES, USER, Kind

DISK = "12G"
"""As large as it can become; it holds what is in it."""

_LAID = "/var/tmp/fast-motion"  # noqa: S108 - within the image
_INITRD = "/etc/initramfs-tools/conf.d"
_TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "mke2fs": "e2fsprogs",
    "faketime": "faketime",
}


def require(kind: Kind) -> None:
    """Raises ``ToolMissing`` with one command for everything that this machine lacks."""
    users = {"newuidmap": "uidmap"} if os.geteuid() else {}  # mmdebstrap's way without root
    tools = {**_TOOLS, **users, kind.emulator: kind.emulator_package}
    missing = [tool for tool in tools if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    if missing:
        install = " ".join(sorted({tools[tool] for tool in missing}))
        raise ToolMissing(f"this machine has no {', '.join(missing)}: sudo apt-get install {install}")


def tracked(checkout: Path) -> list[str]:
    """The checkout's files: what git has and what it would take; without git, all but what is made."""
    asked = ["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(asked, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        made = {".venv", ".git", "results", "_build", "__pycache__", ".vagrant"}
        files = (file.relative_to(checkout) for file in checkout.rglob("*") if file.is_file())
        found = [str(file) for file in files if not made & set(file.parts)]
    return sorted(name for name in found if name and (checkout / name).is_file())


def pack(checkout: Path, archive: IO[bytes]) -> None:
    """The checkout as a tar archive, as it is now, committed or not."""
    names = "\0".join(tracked(checkout))
    command = ["tar", "--create", "--directory", str(checkout), "--null", "--files-from=-"]
    subprocess.run(command, input=names.encode(), stdout=archive, check=True)


def command(kind: Kind, laid: Path, lines: Sequence[str], options: Sequence[str], out: int) -> list[str]:
    """What makes a root file system, and of it a disk that is written to the descriptor ``out``."""
    fill = " ".join(["bash", f'"$1"{_LAID}/fill', '"$1"', DISK, USER, str(out)])
    return [
        "mmdebstrap",
        "--quiet",
        "--mode=auto",
        "--variant=minbase",
        "--format=null",
        # It would ask for one more package, and see no rule that is for this call alone: machines.foreign has looked.
        "--skip=check/qemu",
        f"--architectures={kind.architecture}",
        f"--include={','.join([*PACKAGES, kind.kernel])}",
        *(f"--aptopt={option}" for option in options),
        # Whoever interrupts it has no image anyway.
        "--dpkgopt=force-unsafe-io",
        # Documents of packages are a quarter of the files, and nobody reads them there.
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        # Before there is a kernel: with all modules, as usual, its first one would take as long as a hundred packages.
        f'--essential-hook=mkdir -p "$1"{_INITRD} && printf "MODULES=list\\nCOMPRESS=zstd\\n" >"$1"{_INITRD}/machine',
        f'--customize-hook=mkdir -p "$1"{_LAID}',
        f"--customize-hook=sync-in {shlex.quote(str(laid))} {_LAID}",
        f"--customize-hook={fill}",
        kind.suite,
        "-",
        *(lines or ()),
    ]


def make(kind: Kind, checkout: Path, image: Image, within: Sequence[str] = ()) -> float:
    """Seconds that it took. Interrupted, nothing of it stays. ``within``: see ``foreign.within``."""
    started = time.monotonic()
    aside = Path(tempfile.mkdtemp(prefix=f"{kind.name}.", dir=image.folder.parent))
    try:
        options, places = told.of_apt()
        laid = _lay_out(kind, checkout, aside, options)
        lines = told.sources(kind, places)
        _fill(lambda out: [*(within or _apart()), *command(kind, laid, lines, options, out)], aside)
        shutil.rmtree(laid)
        shutil.rmtree(aside / "work", ignore_errors=True)
        for older in image.folder.parent.glob(f"{kind.name}-*"):
            if re.fullmatch(rf"{kind.name}-[0-9a-f]{{16}}", older.name):
                shutil.rmtree(older, ignore_errors=True)
        aside.replace(image.folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return time.monotonic() - started


def _lay_out(kind: Kind, checkout: Path, aside: Path, options: list[str]) -> Path:
    laid = aside / "laid"
    laid.mkdir()
    print("machine: fetching wheels", file=sys.stderr)  # noqa: T201
    told.fetch_wheels(kind, checkout, laid / "wheels")
    told.lay(laid / "told", options)
    with (laid / "checkout.tar").open("wb") as archive:
        pack(checkout, archive)
    shutil.copy(checkout / "machines" / "fill", laid / "fill")
    for name in ("user", "host"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(aside / name)]
        subprocess.run(key, check=True, stdin=subprocess.DEVNULL)
        shutil.copy(aside / f"{name}.pub", laid)
    shutil.copy(aside / "host", laid)
    host = " ".join((aside / "host.pub").read_text(encoding="ascii").split()[:2])
    (aside / "known_hosts").write_text(f"machine {host}\n", encoding="ascii")
    return laid


def sweep(place: Path) -> None:
    """Takes away what calls that were killed have left of images they were making. The lock has to be held."""
    for name in KINDS:
        for left in place.glob(f"{name}.*"):
            shutil.rmtree(left, ignore_errors=True)


def _apart() -> list[str]:
    """Who takes the maker's folder away, even of one that was killed, is to meet none of this machine's /proc, /sys and
    devices, which it mounts there. An ordinary user's maker is apart by itself.
    """
    return [] if os.geteuid() else list(children.APART)


def _room(aside: Path) -> str:
    """Where the root file system is made. What a user without root makes it as cannot enter a folder of that user."""
    if os.geteuid():
        return "/var/tmp"  # noqa: S108
    (aside / "work").mkdir()
    return str(aside / "work")


def _fill(making: Callable[[int], list[str]], aside: Path) -> None:
    """What comes out of a pipe is unpacked as it comes, with its holes."""
    log, (ours, theirs) = aside.parent / "making.log", os.pipe()
    with log.open("wb") as said:
        env = {"TMPDIR": _room(aside)}
        maker = children.start(making(theirs), stdout=said, stderr=said, env=env, pass_fds=[theirs])
        os.close(theirs)
        with os.fdopen(ours, "rb") as disk, children.ended(maker):
            unpacking = ["tar", "--extract", "--no-same-owner", "--directory", str(aside)]
            taken = subprocess.run(unpacking, stdin=disk, stderr=subprocess.DEVNULL, check=False)
            code = maker.wait()
    if code or taken.returncode or not Image(aside).initrd.is_file():
        last = "".join(f"    {line}\n" for line in last_lines(log))
        raise MachineError(f"mmdebstrap could not make the image:\n{last}all of it is in {log}")


def last_lines(file: Path, count: int = 12) -> list[str]:
    """The end of a file, however large it is, as text that a terminal can show."""
    with file.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", log.read().decode("utf-8", "replace"))
    lines = ["".join(each for each in line if each.isprintable()) for line in text.splitlines()]
    return [line for line in lines if line.strip()][-count:]
