"""Every command of the documents is one that there is, spelled as it works everywhere, and runs as it stands."""

import re
from pathlib import Path

import pytest

from testbed.cli import main
from tests.unit import documents
from tests.unit.documents import ROOT, Block, blocks, check, fresh_shell, spans

COMMANDS = [block for block in blocks() if block.language == "sh"]
OF_BOOTSTRAP = {"install", "test"}
QUICK = {"arena", "list", "predict", "report", "compare", "audit", "schema", "lab list", "lab start"}
IN_NETNS = {"docs/capture.md", "docs/shell.md"}
"""Where ``tests/netns/test_documents.py`` runs what needs root."""
ONLY_CHECKED = {
    "README.md",  # bootstrap itself, and Vagrant
    "CONTRIBUTING.md",  # the tests themselves, and pins
    "docs/live.md",  # goes on until Ctrl-C, or for minutes
    "docs/shell.md",  # a prompt
}


def ids(block: Block) -> str:
    return block.place


def is_quick(block: Block) -> bool:
    return all({asked[0], " ".join(asked[:2])} & QUICK or "simulated" in asked for asked in block.testbeds) and bool(
        block.testbeds
    )


def test_there_are_such_blocks() -> None:
    assert len(COMMANDS) > 8 and {"README.md", "docs/live.md"} <= {block.place.split(":")[0] for block in COMMANDS}


def test_commands_stand_in_blocks_of_commands_alone() -> None:
    looks = re.compile(r"(sudo |testbed |\./bootstrap |vagrant |python3? |pip |apt(-get)? |\.venv/)")
    for block in blocks():
        if block.language in ("", "text"):
            assert not [line for line in block.text.splitlines() if looks.match(line)], block.place


@pytest.mark.parametrize("block", COMMANDS, ids=ids)
def test_each_command_is_one_with_options_that_there_are(block: Block) -> None:
    for asked in block.testbeds:
        if asked[0] not in OF_BOOTSTRAP:
            check(asked)


@pytest.mark.parametrize(("place", "asked"), list(spans()))
def test_each_command_in_the_running_text_too(place: str, asked: list[str]) -> None:
    if not {word for word in asked if word.isupper()}:
        check(asked)


@pytest.mark.parametrize("block", [block for block in COMMANDS if is_quick(block)], ids=ids)
def test_what_is_quick_and_needs_no_root_runs_as_it_stands(block: Block, tmp_path: Path) -> None:
    """With what stands before it in the same document."""
    name = block.place.split(":")[0]
    before = [each.text for each in COMMANDS if each.place.startswith(f"{name}:") and is_quick(each)]
    done = fresh_shell("".join(before[: before.index(block.text) + 1]), tmp_path)
    assert done.returncode == 0, done.stderr


def test_each_block_is_run_somewhere_or_known_not_to_be() -> None:
    for block in COMMANDS:
        assert is_quick(block) or block.place.split(":")[0] in IN_NETNS | ONLY_CHECKED, block.place


def test_there_is_one_spelling() -> None:
    """``python`` is not there on Debian and Ubuntu, and ``python3 -m`` only works in the checkout."""
    about = {
        ROOT / "README.md",
        ROOT / "Vagrantfile",
        ROOT / "docs" / "own-code.md",
        ROOT / "testbed" / "__init__.py",
        ROOT / "testbed" / "__main__.py",
    }
    code = [*(ROOT / "testbed").rglob("*.py"), *(ROOT / "testbed" / "report" / "templates").iterdir()]
    other = re.compile(r"python3? -m testbed(?!\.)")
    found = {file for file in [*documents.DOCUMENTS, ROOT / "Vagrantfile", *code] if other.search(file.read_text())}
    assert found <= about
    assert other.findall((ROOT / "README.md").read_text()) == ["python3 -m testbed"], "that it works, and nothing else"


def test_nor_is_there_another_in_help_and_messages(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["run"], ["serve"], ["shell"]):
        main([*command, "--help"])
        assert "python" not in capsys.readouterr().out
