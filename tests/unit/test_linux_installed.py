"""What is missing is installed by what installed the rest."""

import os
import shlex
from pathlib import Path

import pytest

from testbed.doctor import abilities
from testbed.linux.files import installed
from testbed.linux.files.installed import installs


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "bootstrap").touch()
    return tmp_path


@pytest.mark.parametrize("command", ["mnexec", "tc", "brctl", "ifconfig", "iperf3", "mininet"])
def test_a_checkout_names_its_bootstrap_by_its_path(checkout: Path, command: str) -> None:
    assert installs(command, checkout) == f"sudo {checkout}/bootstrap install"


def test_what_it_names_can_be_pasted_wherever_the_checkout_lies(tmp_path: Path) -> None:
    place = tmp_path / "it's a checkout, über alles"
    place.mkdir()
    (place / "bootstrap").touch()
    assert shlex.split(installs("tc", place)) == ["sudo", f"{place}/bootstrap", "install"]


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        ("mnexec", "sudo apt-get install mininet"),
        ("tc", "sudo apt-get install iproute2"),
        ("ifconfig", "sudo apt-get install net-tools"),
        ("mininet", "sudo apt-get install mininet && pip install mininet"),
    ],
)
def test_an_installed_package_names_no_bootstrap(tmp_path: Path, command: str, remedy: str) -> None:
    assert installs(command, tmp_path) == remedy


def test_what_bootstrap_does_not_install_is_the_systems_anywhere(checkout: Path, tmp_path: Path) -> None:
    assert installs("ovs-vsctl", checkout) == installs("ovs-vsctl", tmp_path) != ""


def test_doctor_of_an_installed_package_names_no_bootstrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installed.installs, "__defaults__", (tmp_path,))
    remedies = [each.remedy for each in abilities.abilities()]
    assert remedies and not any("bootstrap" in remedy for remedy in remedies)


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("/usr/local/bin:/usr/bin:/bin", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"),
        ("/mine:/usr/sbin", "/mine:/usr/sbin:/usr/local/sbin:/sbin"),
    ],
)
def test_an_ordinary_user_finds_the_systems_commands(monkeypatch: pytest.MonkeyPatch, path: str, after: str) -> None:
    monkeypatch.setenv("PATH", path)
    for _ in range(2):
        installed.find_systems_commands()
        assert os.environ["PATH"] == after


def test_every_command_that_is_called_has_a_package() -> None:
    assert {command for command, _needed in abilities.COMMANDS} <= installed.SYSTEM_PACKAGES.keys()
