"""A virtual machine's processors: kept awake where the kernel lets one, however it ends, and told where it does not."""

from pathlib import Path

import pytest

from testbed.doctor import abilities
from testbed.linux import pseudo_files
from testbed.linux.processes import virtual
from testbed.linux.processes.virtual import asleep, awake, held_back_s

MACHINE = {"/proc/cpuinfo": "flags\t\t: fpu hypervisor lahf_lm", "/proc/cmdline": "quiet", "driver": "haltpoll\n"}
BOOT = "boot it with idle=poll (arm64: nohlt), or under KVM: sudo modprobe cpuidle-haltpoll force=1"
COMPUTER = MACHINE | {"/proc/cpuinfo": "flags\t\t: fpu lahf_lm\nmodel name\t: hypervisor"}


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the kernel's, of a virtual machine."""
    monkeypatch.setattr(virtual, "_DEVICE", tmp_path / "device")
    monkeypatch.setattr(virtual, "_DRIVER", Path("driver"))
    (tmp_path / "device").touch()
    becomes(monkeypatch, MACHINE)
    return tmp_path / "device"


def becomes(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], held_back: float = 0) -> None:
    monkeypatch.setattr(pseudo_files, "read", lambda file: files.get(str(file), "").strip())
    monkeypatch.setattr(virtual, "held_back_s", lambda: held_back)


def is_open(file: Path) -> bool:
    return any(each.is_symlink() and each.readlink() == file for each in Path("/proc/self/fd").iterdir())


def test_no_latency_is_accepted_for_as_long_as_it_is_wanted(device: Path) -> None:
    with awake():
        assert is_open(device) and device.read_bytes() == bytes(4)
        with awake():  # the kernel takes the least of all that are asked for
            pass
        assert is_open(device)
    assert not is_open(device)


def test_a_fault_of_what_is_done_meanwhile_is_its_own(device: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), awake():
        raise FileNotFoundError("mine")
    assert not is_open(device)


def test_where_it_cannot_be_asked_for_all_goes_on(device: Path) -> None:
    device.unlink()
    device.mkdir()
    with awake():
        pass


@pytest.mark.parametrize(("held_back", "asked"), [(0, False), (0.01, True)])
def test_a_computers_own_processors_are_left_alone(
    device: Path, monkeypatch: pytest.MonkeyPatch, held_back: float, asked: bool
) -> None:
    """One that has no such flag is a virtual one all the same if its host has ever kept something from it."""
    becomes(monkeypatch, COMPUTER, held_back)
    with awake():
        assert is_open(device) is asked
    assert asleep() == ("", "")


@pytest.mark.parametrize(
    ("files", "why", "remedy"),
    [
        (MACHINE, "", ""),
        (MACHINE | {"driver": "none\n"}, "no way to wait", BOOT),
        (MACHINE | {"driver": ""}, "no way to wait", BOOT),
        (MACHINE | {"driver": "none", "/proc/cmdline": "ro idle=poll quiet"}, "", ""),
        (MACHINE | {"driver": "none", "/proc/cmdline": "nohlt"}, "", ""),
    ],
)
@pytest.mark.usefixtures("device")
def test_why_they_sleep_all_the_same_is_told_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], why: str, remedy: str
) -> None:
    becomes(monkeypatch, files)
    found = abilities.awake()
    assert (why in found.detail, found.remedy, found.works, found.needed) == (True, remedy, not why, False)


def test_whom_the_device_refuses_is_told_to_be_root(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda file, _mode: file != device)
    found = abilities.awake()
    assert not found.works and f"{device} is root's" in found.detail
    assert found.remedy == f"sudo chmod a+w {device} (until the machine restarts), or sudo"


def test_what_was_kept_never_grows_less() -> None:
    first = held_back_s()
    assert 0 <= first <= held_back_s()
