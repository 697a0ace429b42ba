"""Small files in which the kernel says something, below /proc and /sys."""

from pathlib import Path


def read(file: Path) -> str | None:
    """What it says, without blanks around; None where this kernel has no such file or lets nobody like us read it."""
    try:
        return file.read_text("utf-8", errors="replace").strip()
    except OSError:
        return None
