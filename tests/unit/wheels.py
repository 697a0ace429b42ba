"""What somebody without the checkout has: an environment into which pip has put our wheel; and what is in a PDF."""

import re
import subprocess
import sys
import sysconfig
import venv
import zlib
from pathlib import Path

from testbed.grades import autograder


def installed(folder: Path) -> Path:
    """``folder`` with a ``venv`` that has our wheel, and of this environment what that needs, and an empty ``work``."""
    (name, wheel), *_ = ((name, data) for name, data in autograder._common().items() if name.endswith(".whl"))
    (folder / Path(name).name).write_bytes(wheel)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(folder / Path(name).name)], check=True, capture_output=True)
    # A line of a .pth adds a folder and not what its own .pth files say, so not the checkout.
    (packages,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    (packages / "needs.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (folder / "work").mkdir()
    return folder


def is_installed(folder: Path) -> bool:
    """Whether all of that is done there."""
    return (folder / "work").is_dir()


def media_box(pdf: bytes) -> list[float]:
    """Of its page, in points."""
    found = re.search(rb"/MediaBox ?\[([^\]]+)\]", pdf)
    assert found
    return [float(each) for each in found[1].split()]


def fonts(pdf: bytes) -> set[str]:
    """The kinds of its fonts, and whether they are in it."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    whole = pdf + b"".join(zlib.decompressobj().decompress(each) for each in streams if each[:1] == b"x")
    kinds = {b"/CIDFontType2": "TrueType", b"/CIDFontType0": "PostScript", b"/Type3": "drawn"}
    embedded = ", embedded" if re.search(rb"/FontFile[23]?\b", whole) else ""
    return {f"{kind}{embedded}" for name, kind in kinds.items() if name in whole}
