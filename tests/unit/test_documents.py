"""Every command of the documents is one that there is, spelled as it works everywhere, and runs as it stands."""

import re
from pathlib import Path

import pytest
import yaml

from testbed.cli import main
from testbed.labs.course import Course
from testbed.labs.definition import spec
from testbed.labs.proving import reference
from tests.unit import documents
from tests.unit.documents import LABS, ROOT, Block, blocks, check, spans, steps

COMMANDS = [block for block in blocks() if block.language == "sh"]
OF_BOOTSTRAP = {"install", "test", "docs", "ci"}
RUN_HERE = [block for block in COMMANDS if block.quick and not block.not_run]


def read_as_of_labs(block: Block, folder: Path) -> None:
    """By its first word: a course, a lab, or answers to one. Raises ``ScenarioError``."""
    match block.text.partition(":")[0]:
        case "course":
            (folder / "course.yaml").write_text(block.text)
            Course.read(folder / "course.yaml")
        case "lab":
            spec.parsed(block.text, block.place)
        case first:
            model = reference.WrongWork if first == "check" else reference.RightWork
            model.model_validate(yaml.safe_load(block.text))


def test_there_are_such_blocks() -> None:
    assert len(COMMANDS) > 8 and {"README.md", "docs/live.md"} <= {block.document for block in COMMANDS}
    assert {str(lab.relative_to(ROOT)) for lab in LABS} <= {block.document for block in RUN_HERE}


def test_commands_stand_in_blocks_of_commands_alone() -> None:
    looks = re.compile(r"(sudo |testbed |\./bootstrap |vagrant |python3? |pip |apt(-get)? |\.venv/)")
    for block in blocks():
        if block.language in ("", "text"):
            assert not [line for line in block.text.splitlines() if looks.match(line)], block.place


@pytest.mark.parametrize("document", sorted({block.document for block in COMMANDS}))
def test_each_command_is_one_with_options_that_there_are(document: str) -> None:
    for block in COMMANDS:
        for asked in block.testbeds:
            if block.document == document and asked[0] not in OF_BOOTSTRAP:
                check(asked)


def test_each_command_in_the_running_text_too() -> None:
    """But for what is only named: `testbed compare`, `lab test LAB`."""
    asked = [words for _place, words in spans() if len(words) > 1 and not any(word.isupper() for word in words)]
    assert len(asked) > 8
    for words in asked:
        check(words)


@pytest.mark.parametrize("document", sorted({block.document for block in RUN_HERE}))
def test_what_is_quick_and_needs_no_root_runs_as_it_stands(document: str, tmp_path: Path) -> None:
    for block, done in steps((block for block in RUN_HERE if block.document == document), tmp_path):
        assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"


def test_what_is_not_run_says_why() -> None:
    """All else is run here or by ``tests/netns/test_documents.py``. Of another's commands there is nothing to run."""
    said = {block.place: block.not_run for block in COMMANDS if block.not_run}
    assert all(len(reason.split()) > 3 for reason in said.values()), said
    assert [block.place for block in COMMANDS if not (block.not_run or block.testbeds or block.of_lab)] == []


def test_a_block_says_for_itself_that_it_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "# A\n\n<!-- not run: it takes a day -->\n```sh\nsudo testbed run\n```\n\n1. b\n   ```sh\n   {}\n   ```\n"
    (tmp_path / "a.md").write_text(text.format("testbed list"))
    monkeypatch.setattr(documents, "ROOT", tmp_path)
    monkeypatch.setattr(documents, "DOCUMENTS", [tmp_path / "a.md"])
    one, other = blocks()
    assert one == Block(place="a.md:4", language="sh", text="sudo testbed run\n", not_run="it takes a day")
    assert other == Block(place="a.md:9", language="sh", text="testbed list\n", not_run="")
    assert other.quick and not one.quick


def test_what_teachers_are_shown_of_labs_and_courses_is_what_is_read(tmp_path: Path) -> None:
    shown = [block for block in blocks() if block.document.startswith(("docs/teaching/", "docs/labs.md"))]
    assert {"python", "yaml"} <= {block.language for block in shown}
    for block in shown:
        if block.language == "python":
            exec(compile(block.text, block.place, "exec"), {})  # noqa: S102 - our own document
        if block.language == "yaml":
            read_as_of_labs(block, tmp_path)


def test_no_lab_sends_students_for_root() -> None:
    """Their runs are made in namespaces of their own (docs/without-root.md)."""
    told = {file.parent.name: file.read_text(encoding="utf-8") for file in (ROOT / "labs").glob("[0-9]*/README.md")}
    assert len(told) > 10
    assert [name for name, text in told.items() if re.search(r"[Ww]ith root\b|\(root\)|wants root", text)] == []


def test_the_virtual_machine_serves_the_documents_by_a_command_that_there_is() -> None:
    port = re.search(r"^DOCS_PORT = (\d+)$", (ROOT / "Vagrantfile").read_text(encoding="utf-8"), re.MULTILINE)
    script = (ROOT / "machines" / "provision").read_text(encoding="utf-8")
    started = re.search(r"^ExecStart=\$TESTBED_VENV/bin/python -P -m testbed (.*)$", script, re.MULTILINE)
    assert port and started and f"127.0.0.1:{port[1]}" in (ROOT / "README.md").read_text(encoding="utf-8")
    check(started[1].replace("$docs_port", port[1]).split())


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
