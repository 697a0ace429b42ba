"""An arm64 machine, as far as another can tell: its numbers of system calls, and kernels with large pages."""

import errno
import os
import platform

import pytest

from testbed.core.errors import PrerequisiteMissing
from testbed.doctor import abilities
from testbed.experiment.machine import the_machine
from testbed.linux import syscalls
from testbed.linux.memory import pages

ASM_GENERIC = {
    "io_setup": 0,
    "io_destroy": 1,
    "io_submit": 2,
    "io_getevents": 4,
    "userfaultfd": 282,
    "pidfd_getfd": 438,
}
"""include/uapi/asm-generic/unistd.h, which arm64 has as it is."""


def test_every_call_has_its_number_on_arm64() -> None:
    assert {name: numbers["aarch64"] for name, numbers in syscalls._NUMBERS.items()} == ASM_GENERIC


@pytest.mark.parametrize(("machine", "number"), [("aarch64", 282), ("x86_64", 323), ("riscv64", None)])
def test_the_number_of_this_architecture_is_called(
    monkeypatch: pytest.MonkeyPatch, machine: str, number: int | None
) -> None:
    called: list[int] = []

    class Libc:
        @staticmethod
        def syscall(wanted: object, *_: object) -> int:
            called.append(wanted.value)  # type: ignore[attr-defined]
            return 5

    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(syscalls, "_LIBC", Libc)
    if number is None:
        with pytest.raises(OSError, match="no number of userfaultfd is known for riscv64") as refused:
            syscalls.syscall("userfaultfd", 0)
        assert refused.value.errno == errno.ENOSYS
    else:
        assert syscalls.syscall("userfaultfd", 0) == 5
    assert called == ([] if number is None else [number])


@pytest.mark.parametrize("kib", [16, 64])
def test_a_kernel_with_larger_pages_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, kib: int) -> None:
    monkeypatch.setattr(pages, "kernel_page_bytes", lambda: kib << 10)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    refused = pytest.raises(PrerequisiteMissing, match=f"this kernel's pages are {kib} KiB, and a guest's are 4")
    with refused, the_machine("a test"):
        pass
    monkeypatch.setattr(abilities, "kernel_page_bytes", lambda: kib << 10)
    said = abilities.pages()
    assert (said.works, said.needed, said.detail) == (False, True, f"{kib} KiB, and a guest's are 4 KiB")
    assert "linux-image-arm64" in said.remedy


def test_this_one_has_the_right_size() -> None:
    assert abilities.pages().works and abilities.pages().detail == "4 KiB"
