"""``serve``: what is in the folder is shown and given, what is not in it is not."""

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import uvicorn
from starlette.types import ASGIApp

import testbed
from testbed.core.records.migration import NotMadeRecord
from testbed.runfiles.summary_writer import UNDER_WAY
from testbed.web.run_list import POLICY, RunList
from testbed.web.runs import app
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import kept, made

_OPENER = build_opener(ProxyHandler({}))


class Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Not in a thread."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    kept(root / "results" / "one")
    (root / "results" / "broken").mkdir()
    (root / "results" / "broken" / "summary.json").write_text("{")
    (root / "secret.txt").write_text("secret")
    os.symlink(root / "secret.txt", root / "results" / "one" / "link.txt")
    os.symlink(root, root / "results" / "up")
    return root / "results"


def serving(folder: Path) -> AbstractContextManager[str]:
    return serving_app(app(folder))


@contextmanager
def serving_app(served: ASGIApp) -> Iterator[str]:
    server = Server(uvicorn.Config(served, port=0, log_level="error", lifespan="off"))
    started = threading.Event()
    startup = server.startup

    async def announced(*arguments: object, **named: object) -> None:
        await startup(*arguments, **named)  # type: ignore[arg-type]
        started.set()

    server.startup = announced  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(20)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


def get(address: str) -> tuple[int, bytes]:
    try:
        with _OPENER.open(address, timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_every_run_is_listed_also_a_broken_one(url: str) -> None:
    status, page = get(url)
    table = page.split(b"<tbody>")[1]
    assert status == 200 and b">one</a>" in table and b"<td>broken</td>" in table and b"up" not in table
    assert b"cannot be read: " in table and b"is not JSON" in table


def test_a_report_is_made_where_there_is_none(url: str, folder: Path) -> None:
    (folder / "one" / "report.html").unlink(missing_ok=True)
    status, page = get(f"{url}/runs/one/report.html")
    assert status == 200 and b"<!doctype html>" in page and not (folder / "one" / "report.html").exists()
    assert get(f"{url}/runs/one/summary.json")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["one/../../secret.txt", "%2e%2e/secret.txt", "one/%2e%2e/%2e%2e/secret.txt", "one/link.txt", "up/secret.txt",
     "one/none.txt", "none/report.html", "broken/report.html", "", "one", "one/%00", "x" * 300, "one/" + "y" * 300],
)  # fmt: skip
def test_nothing_else_is_given(url: str, path: str) -> None:
    status, page = get(f"{url}/runs/{path}")
    assert status == 404 and b"secret" not in page


def test_a_page_elsewhere_may_not_ask_under_its_own_name(url: str) -> None:
    with pytest.raises(HTTPError) as refused:
        _OPENER.open(Request(url, headers={"Host": "elsewhere.example"}), timeout=60)  # noqa: S310
    with refused.value:
        assert refused.value.code == 400


def test_a_folder_that_is_a_run_is_served_alone(folder: Path) -> None:
    with serving(folder / "one") as url:
        status, page = get(url)
        assert status == 200 and b">one</a>" in page and b"broken" not in page
        assert get(f"{url}/runs/one/summary.json")[0] == 200
        assert get(f"{url}/runs/broken/summary.json")[0] == 404


def test_a_folder_that_may_not_be_looked_into_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path / "one")
    (tmp_path / "closed").mkdir()
    lstat = Path.lstat

    def refused(path: Path) -> os.stat_result:
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", refused)  # root may look everywhere
    seen = [(each.name, "denied" in each.fault) for each in RunList(tmp_path).runs()]
    assert seen == [("one", False), ("closed", True)]


def test_the_newest_run_is_first(folder: Path) -> None:
    assert [each.name for each in RunList(folder).runs()] == ["one", "broken"]


EVIL = "<script>alert(1)</script>\x1b[31m"


def test_a_hostile_folder_is_shown_and_not_followed(tmp_path: Path) -> None:
    """Pipes, links, files without end, names that are no text: each is a line, and none is waited for."""
    root = tmp_path / "results"
    kept(root / EVIL.replace("/", "_"))
    kept(root / "edited")
    known = json.loads((root / "edited" / "summary.json").read_text())
    known["migrations"][0] |= {"bytes_sent": 1, "name": EVIL}
    (root / "edited" / "summary.json").write_text(json.dumps(known))
    for name in ("pipe", "link", "huge", "text", os.fsdecode(b"no\xfftext")):
        (root / name).mkdir()
    os.mkfifo(root / "pipe" / "summary.json")
    (root / "link" / "summary.json").symlink_to(root / "edited" / "summary.json")
    with (root / "huge" / "summary.json").open("wb") as file:
        file.truncate(1 << 40)
    for name in ("text", os.fsdecode(b"no\xfftext")):
        (root / name / "summary.json").write_text('{"schema": 1, "seed": "' + EVIL.replace("\x1b", "") + '"}')
    with serving(root) as url:
        status, page = get(url)
        for name in ("pipe", "link", "huge", "edited", "text"):
            assert get(f"{url}/runs/{name}/report.html")[0] == (200 if name == "edited" else 404)
        assert get(f"{url}/runs/{quote(EVIL.replace('/', '_'))}/report.html")[0] == 200
    text = page.decode()
    assert status == 200 and "<script" not in text
    assert text.count("cannot be read: ") == 5 and "no: edited or damaged" in text
    for said in ("is no ordinary file", "is a link", "are read at most", "is missing", "no\\udcfftext"):
        assert said in text


@pytest.mark.parametrize("name", ["two\nlines", "\n", "end\n", "100%", "a?b#c", os.fsdecode(b"no\xfftext")])
def test_each_link_leads_to_its_file_whatever_a_run_is_called(tmp_path: Path, name: str) -> None:
    kept(tmp_path / "runs" / name)
    with serving(tmp_path / "runs") as url:
        links = re.findall(r'href="(/runs/[^"]*)"', get(f"{url}/")[1].decode())
        assert len(links) > 2
        assert {get(url + unescape(link))[0] for link in links} == {200}


def test_only_files_that_are_there_are_linked(tmp_path: Path) -> None:
    """A simulated run has no samples."""
    testbed.run("hello", engine="simulated", out=tmp_path / "results" / "sim")
    with serving(tmp_path / "results") as url:
        links = re.findall(r'href="(/runs/[^"]+)"', get(url)[1].decode())
        assert "/runs/sim/summary.json" in links and "/runs/sim/samples.jsonl" not in links
        assert [get(url + link)[0] for link in links] == [200] * len(links)


def test_a_runs_own_page_can_ask_for_nothing(url: str) -> None:
    """It may be anybody's: its scripts run as a page of no origin."""
    with _OPENER.open(f"{url}/runs/one/report.html", timeout=60) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts") and "default-src 'none'" in policy
    assert "allow-same-origin" not in policy


def test_a_run_that_changes_is_read_again(tmp_path: Path) -> None:
    folder, runs_there = kept(tmp_path / "one"), RunList(tmp_path)
    assert runs_there.runs()[0] is runs_there.runs()[0]
    (folder / "summary.json").write_text("{")
    assert "is not JSON" in runs_there.runs()[0].fault


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Runs of two engines and policies, some of them not valid, one that has not ended, one that cannot be read."""
    root = tmp_path_factory.mktemp("several") / "results"
    kept(root / "measured")
    policies = "name: matrix\nmigration: {policy: xen}\n"
    both = [a_migration(name=name, settings={"migration.policy": {"name": name}}) for name in ("qemu", "vmotion")]
    made(root / "matrix", replace(a_summary(*both), engine="simulated"), policies)
    made(root / "a b&c", a_summary(a_migration(), a_migration(repeat=2)))
    made(root / "fast", a_summary(a_migration(total_time_s=9.0)), "name: fast\nmigration: {policy: {name: plain}}\n")
    made(root / "failed", a_summary(a_migration(valid=False, invalid_reasons=["its link was slow"])), policies)
    left = [NotMadeRecord(name="second", repeat=1, reason=UNDER_WAY)]
    begun = replace(a_summary(a_migration()), valid=False, invalid_reasons=[UNDER_WAY], not_made=left)
    made(root / "begun", begun, policies)
    (root / "packed").mkdir()
    (root / "packed" / "summary.json").write_bytes(b"\x1f\x8b")
    with serving(root) as url:
        yield url


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"measured", "matrix", "a b&c", "fast", "failed", "begun", "packed"}),
        ("policy=vmotion", {"matrix"}),
        ("policy=plain", {"measured", "fast"}),
        ("engine=simulated", {"matrix"}),
        ("valid=yes", {"measured", "fast", "a b&c"}),
        ("valid=no", {"failed", "matrix"}),
        ("valid=not+ended", {"begun"}),
        ("valid=cannot+be+read", {"packed"}),
        ("text=HELLO+completed", {"measured"}),
        ("text=%3Cscript%3E", set()),
        ("policy=plain&text=fast&valid=yes&other=1", {"fast"}),
    ],
)
def test_the_list_is_of_those_that_are_asked_for(several: str, query: str, names: set[str]) -> None:
    status, page = get(f"{several}/?{query}")
    assert status == 200 and b"<script" not in page
    listed = re.findall(r'aria-label="compare ([^"]+)"|<tr><td>([^<]+)</td>', page.decode())
    assert {unescape(one or other) for one, other in listed} == names
    assert f"{len(names)} of 7 runs" in page.decode()


def test_repeats_are_one_line_and_a_policy_by_its_name_alone_is_found(tmp_path: Path) -> None:
    repeats = [a_migration(repeat=i, total_time_s=t, downtime_s=0.02) for i, t in ((1, 20.0), (2, 22.0))]
    failed = a_migration(name="other", outcome="aborted", total_time_s=None, settings={f"{POLICY}.name": "xen"})
    made(tmp_path / "run", a_summary(*repeats, failed))
    (run,) = RunList(tmp_path).runs()
    assert run.told == ["opvizor: 2 repeats, completed, 20 to 22 s, downtime 20 ms", "other: aborted, downtime 70 ms"]
    assert "xen" in run.policies


def test_two_that_were_chosen_are_compared(several: str) -> None:
    """As a form sends their names: what it was given, encoded once more."""
    (name,) = re.findall(r'name="run" value="([^"]+)" aria-label="compare a b', get(several)[1].decode())
    status, page = get(f"{several}/compare?run={quote(name)}&run=fast")
    assert status == 200 and b"no difference can be told between" in page and b"Total time" in page


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 409, b"choose two runs"),
        ("run=fast&run=fast", 409, b"choose two runs"),
        ("run=fast&run=..", 404, b"no such file"),
        ("run=fast&run=%2Fetc", 404, b"no such file"),
        ("run=fast&run=none", 404, b"no such file"),
        ("run=fast&run=failed", 409, b"/compare?run=fast&amp;run=failed&amp;anyway=1"),
        ("run=fast&run=failed&anyway=1", 200, b"not comparable: "),
    ],
)
def test_what_cannot_be_compared_says_why(several: str, query: str, status: int, said: bytes) -> None:
    answered, page = get(f"{several}/compare?{query}")
    assert answered == status and said in page
