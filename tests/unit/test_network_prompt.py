"""The prompt of ``shell`` at hosts that are none: whatever is typed wrongly is one line, and the prompt goes on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.cli.shell_commands import Commands
from testbed.core.errors import ScenarioError
from testbed.experiment.session import Session
from testbed.network.fabric import Fabric
from testbed.network.prompt import Leave, prompt

Captured = pytest.CaptureFixture[str]
Typed = Callable[..., list[list[str]]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Types lines at a prompt with ``note``, ``leave`` and ``refuse``; the words that ``note`` was given."""

    def type_(*lines: str, **hosts: object) -> list[list[str]]:
        noted, later = list[list[str]](), list[str]()

        def leave(words: list[str]) -> None:
            raise Leave

        def refuse(words: list[str]) -> None:
            raise ScenarioError("it cannot be")

        (tmp_path / "stdin").write_text("".join(f"{line}\n" for line in (*lines, "exit")))
        fabric = cast(Fabric, SimpleNamespace(net=hosts))
        with (tmp_path / "stdin").open() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            while prompt(fabric, {"note": noted.append, "leave": leave, "refuse": refuse}, "> ", later):
                noted.append(["left"])
        return noted

    return type_


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('note "a', 'no closing quotation: "a'),
        ("refuse", "it cannot be"),
        ("source nowhere", "'source nowhere' was not done: No such file or directory"),
        ("source .", "'source .' was not done: Is a directory"),
        ("link esx1 esx2 up", "'link esx1 esx2 up' failed: AttributeError: "),
    ],
)
def test_a_wrong_line_is_said_and_the_next_one_is_read(typed: Typed, line: str, said: str, capsys: Captured) -> None:
    assert typed(line, "note a") == [["a"]]
    assert capsys.readouterr().err.startswith(said)


def test_a_comment_begins_outside_of_quotes_and_words(typed: Typed) -> None:
    lines = ("# note a", 'note "10G #2" # again', "note a#b", "  # note a")
    assert typed(*lines) == [["10G #2"], ["a#b"]]


def test_what_is_read_from_a_file_goes_on_at_new_hosts_and_ends_the_prompt_too(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "inner").write_text("note 2 # the second\nleave\n")
    (tmp_path / "script").write_text(f"note 1\nsource {tmp_path}/inner\nnote 3\nexit\nnote 4\n")
    assert typed(f"source {tmp_path}/script", "note 5") == [["1"], ["2"], ["left"], ["3"]]


def test_a_host_whose_shell_has_ended_is_not_waited_for(typed: Typed, capsys: Captured) -> None:
    shell = subprocess.Popen(["true"])
    shell.wait()
    reading, writing = os.pipe()
    with open(reading, "rb") as stdout, open(writing, "wb"):
        host: Any = SimpleNamespace(name="esx1", waiting=False, shell=shell, stdout=stdout)
        host.sendCmd = lambda _line: setattr(host, "waiting", True)
        assert typed("esx1 exit", "esx1 true", "note a", esx1=host) == [["a"]]
    gone = "the shell of esx1 has ended, and the host with it; 'again' makes new ones\n"
    assert capsys.readouterr().err == 2 * gone


@pytest.mark.parametrize("word", ["migrate", "wait", "status", "cancel", "cut", "mend"])
def test_what_takes_nothing_is_not_done_with_something_after_it(word: str) -> None:
    commands = Commands(cast(Session, None), lambda _changed: pytest.fail("nothing is loaded")).by_name()
    with pytest.raises(ScenarioError, match=f"'{word}' takes nothing after it, not 'now'$"):
        commands[word](["now"])
    with pytest.raises(ScenarioError, match="'again PATH=VALUE' changes keys"):
        commands[word](["migration.policy=qemu"])
    assert (commands[word].__doc__ or "").startswith(f"{word}: ")
