"""Settings of the machine that refuse user namespaces to ordinary users, under /proc/sys."""

from pathlib import Path

from testbed.linux import pseudo_files

KNOBS = {
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "user/max_user_namespaces": ("0", "10000"),
}
"""The value of each that refuses them, and one that does not."""


def set_so(at: Path = Path("/proc/sys")) -> list[str]:
    """Those of ``KNOBS`` that refuse user namespaces here."""
    return [name for name, (refuses, _) in KNOBS.items() if pseudo_files.read(at / name) == refuses]


def mended(knob: str) -> str:
    """The command after which it refuses none, until the machine is started anew."""
    return f"sudo sysctl -w {knob.replace('/', '.')}={KNOBS[knob][1]}"
