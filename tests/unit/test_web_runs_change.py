"""``serve``: folders and files that are gone, grow, or may not be looked at while they are asked for; odd names."""

import os
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from testbed.linux.files.ordinary import ordinary
from testbed.web import folder
from testbed.web.runs import app
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import kept, made
from tests.unit.test_web_runs import get, serving, serving_app

NO_TEXT = os.fsdecode(b"no\xfftext")


def test_a_run_is_served_alone_where_its_neighbours_are_nobodys_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the home of another, who lets everybody into one of its folders."""

    def refused(path: Path | str = ".") -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    run = kept(tmp_path / NO_TEXT)
    with serving(run) as url, monkeypatch.context() as patch:
        patch.setattr(os, "listdir", refused)  # root may look everywhere
        assert get(url)[0] == get(f"{url}/runs/no%FFtext/summary.json")[0] == 200


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    root = tmp_path / "results"
    kept(root / "one")
    with serving(root) as url:
        assert get(url)[0] == 200
        root.rename(tmp_path / "elsewhere")
        said = f"{root}: cannot be read (No such file or directory)".encode()
        assert get(url) == get(f"{url}/compare?run=one") == (404, said)


def test_a_run_whose_name_is_no_text_is_shown_and_compared(tmp_path: Path) -> None:
    root = tmp_path / "results"
    made(root / NO_TEXT, a_summary(a_migration()))
    made(root / "fast", a_summary(a_migration(total_time_s=9.0)))
    with serving(root) as url:
        for link in ("runs/no%FFtext/report.html", "runs/no%FFtext/summary.json", "compare?run=no%25FFtext&run=fast"):
            assert get(f"{url}/{link}")[0] == 200, link


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its head had been sent by then, and a traceback was printed."""

    def refused(path: Path) -> int | None:
        raise PermissionError(13, "Permission denied", str(path))  # root may read everything

    run = kept(tmp_path / "results" / "one")
    with serving(run.parent) as url, monkeypatch.context() as patch:
        patch.setattr(folder, "ordinary", refused)
        assert get(f"{url}/runs/one/summary.json") == (403, folder.SHUT.encode())


@pytest.mark.parametrize("exchanged", ["one/summary.json", "one"])
def test_a_link_that_comes_meanwhile_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanged: str
) -> None:
    """Of a folder in which others may write, by who also reaches the port."""
    run, others = kept(tmp_path / "results" / "one"), kept(tmp_path / "others" / "one")
    place, target = run.parent / exchanged, others.parent / exchanged

    def late(path: Path) -> int | None:
        place.rename(tmp_path / "before")
        place.symlink_to(target)
        return ordinary(path)

    with serving(run.parent) as url, monkeypatch.context() as patch:
        patch.setattr(folder, "ordinary", late)
        assert get(f"{url}/runs/one/summary.json") == (404, folder.NONE.encode())


def test_of_a_file_that_grows_meanwhile_there_is_what_was_there(tmp_path: Path) -> None:
    """A run that goes on writes more while somebody fetches what it has."""
    run = kept(tmp_path / "results" / "one")
    served, log = app(run.parent), run / "log.txt"
    log.write_bytes(b"x" * 300_000)

    async def growing(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            with log.open("ab") as file:
                file.write(b"y" * 100_000)
            await send(message)

        await served(scope, receive, sent)

    with serving_app(growing) as url:
        assert get(f"{url}/runs/one/log.txt") == (200, b"x" * 300_000)
