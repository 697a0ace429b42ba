"""An image for another processor: its programs go to an emulator, for its maker alone where nobody has it so."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from machines import foreign
from machines.faults import ToolMissing
from machines.kinds import KINDS

ARM = KINDS["arm64"]


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An amd64 one whose root can have it, with a rule; nothing is handed over yet."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name, words in (("_FILE_SYSTEMS", "nodev\tbinfmt_misc\n\text4\n"), ("_RULES", None), ("_BINFMT", None)):
        monkeypatch.setattr(foreign, name, tmp_path / name)
        (tmp_path / name).write_text(words) if words else (tmp_path / name).mkdir()
    (tmp_path / "_RULES" / "qemu-aarch64.conf").write_text(":qemu-aarch64:M::...\n")
    return tmp_path


def test_ones_own_processor_needs_nothing() -> None:
    assert foreign.within(KINDS["debian-13"]) == []


def test_what_the_kernel_does_for_everybody_is_not_done_again(kernel: Path) -> None:
    (kernel / "_BINFMT" / "qemu-aarch64").touch()
    assert foreign.within(ARM) == []


def test_the_rule_is_registered_before_the_command_and_the_mount_is_its_own(kernel: Path) -> None:
    words = [*foreign.within(ARM), "printf", "%s,", "a b", "$c"]
    assert words[:4] == ["unshare", "--mount", "--propagation", "private"]
    mounted = kernel / "mount"
    mounted.write_text('#!/bin/sh\necho "$*" >"${0%/*}/mounted"\n')
    mounted.chmod(0o755)
    path = {"PATH": f"{kernel}:/usr/bin:/bin"}
    done = subprocess.run(words[4:], capture_output=True, text=True, check=False, env=path)
    assert (done.returncode, done.stdout) == (0, "a b,$c,"), done.stderr
    assert (kernel / "mounted").read_text() == f"-t binfmt_misc binfmt_misc {kernel}/_BINFMT\n"
    assert (kernel / "_BINFMT" / "register").read_text() == ":qemu-aarch64:M::...\n"
    mounted.write_text("#!/bin/sh\nexit 32\n")
    refused = subprocess.run(words[4:], capture_output=True, text=True, check=False, env=path)
    assert (refused.returncode, refused.stdout) == (32, ""), "no command without it"


def test_what_lacks_is_named_with_what_mends_it(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as user:
        user.setattr(os, "geteuid", lambda: 1000)
        refused(r"does not hand arm64's programs to an emulator: sudo systemctl restart systemd-binfmt$")
    (kernel / "_FILE_SYSTEMS").write_text("nodev\tproc\n")
    refused(r"sudo modprobe binfmt_misc$")
    (kernel / "_RULES" / "qemu-aarch64.conf").unlink()
    refused(r"sudo apt-get install qemu-user-static$")


def refused(why: str) -> None:
    with pytest.raises(ToolMissing, match=why) as lack:
        foreign.within(ARM)
    assert lack.value.exit_code == 3
