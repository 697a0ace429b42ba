"""The live page's server gives up root before it answers, and then has everything that it needs, wherever that lies."""

import json
import os
import pwd
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import ServiceRecord
from testbed.linux.processes.module import ROOT
from testbed.rig.orders import Orders
from testbed.runfiles.folder import RunFolder
from testbed.web.guard import LOCAL
from testbed.web.live import run_side as live
from testbed.web.live.run_side import LivePage
from tests.unit.runs import kept
from tests.unit.test_web_live import STARTED, ask, ended, events, order, with_token

pytestmark = pytest.mark.needs_root("the page gives it up")
SOMEBODY = next(each for each in pwd.getpwall() if each.pw_uid and each.pw_gid and each.pw_name != "nobody")
NOBODY = 65534


@pytest.fixture
def controls() -> Orders:
    return Orders()


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """A checkout and a virtual environment that only root may look into; what is in it is reached through it alone."""
    folder = tmp_path_factory.mktemp("private")
    folder.chmod(0o700)
    for room in ("testbed", "guest_agent"):
        shutil.copytree(Path(ROOT, room), folder / room)  # as compiled as they are
    venv, site = folder / "venv", Path(sysconfig.get_paths()["purelib"])
    packages = venv / site.relative_to(sys.prefix)
    packages.mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), venv)
    for each in site.iterdir():
        if "fast_motion" not in each.name:
            (packages / each.name).symlink_to(each)
    return lambda name, *arguments: [
        str(venv / "bin" / "python"), "-P", str(folder / "testbed/linux/processes/module.py"), name, *arguments
    ]  # fmt: skip


def with_a_service(folder: Path) -> MigrationRecord:
    """The kept run's migration, as if its guest had had one."""
    done = RunFolder(folder).read_summary().migrations[0]
    done.services = [ServiceRecord.counted("echo", 20)]
    lines = (folder / "samples.jsonl").read_text().splitlines()
    begin = json.loads(lines[0])["t"]
    row = {"kind": "service", "name": "echo", "host": "esx1", "latency_s": 0.001}
    lines += [json.dumps(row | {"t": begin + tick / 10, "operations": tick}) for tick in range(20)]
    (folder / "samples.jsonl").write_text("\n".join(lines) + "\n")
    return done


@pytest.mark.parametrize("by", [{}, {"SUDO_UID": str(SOMEBODY.pw_uid), "SUDO_GID": str(SOMEBODY.pw_gid)}])
def test_where_only_root_may_read_checkout_and_environment_everything_is_there(
    controls: Orders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    private: Callable[..., list[str]],
    by: dict[str, str],
) -> None:
    for name, value in by.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(live, "module", private)
    folder = kept(tmp_path / "run")
    done = with_a_service(folder)
    with LivePage("a", folder, LOCAL, 0, controls) as page:
        assert ask(page.address)[0] == 200 and ask(page.url)[0] == 403
        assert 0 not in psutil.Process(page.pid).uids()
        page.observe(replace(STARTED, migration=done.key))
        page.observe(ended(done))
        said = next(event for event in events(page) if event["event"] == "MigrationFinished")
        assert said["section"]["html"] and said["section"]["charts"]
        assert order(page, {"what": "cut"}) == 200 and order(page, {"what": "explode"}) == 400
        assert ask(f"{page.url}report", **with_token(page))[0] == 404
        assert ask(f"{page.url}nowhere", **with_token(page))[0] == 404
        assert "fast_motion_migration_valid" in ask(f"{page.url}metrics", **with_token(page))[1]
        assert next(event for event in events(page) if event["event"] == "Controlled")["what"] == "cut"


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ({}, NOBODY),
        ({"SUDO_UID": "0", "SUDO_GID": "0"}, NOBODY),
        ({"SUDO_UID": "x"}, NOBODY),
        ({"SUDO_UID": "4242424"}, NOBODY),
        ({"SUDO_UID": str(SOMEBODY.pw_uid)}, SOMEBODY.pw_uid),
    ],
)
def test_the_server_has_no_root_and_ends_with_the_page(
    controls: Orders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: dict[str, str], expected: int
) -> None:
    for name in ("SUDO_UID", "SUDO_GID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in by.items():
        monkeypatch.setenv(name, value)
    with LivePage("a", tmp_path / "results", LOCAL, 0, controls) as page:
        ask(page.address)
        server = psutil.Process(page.pid)
        assert 0 not in server.uids() and 0 not in server.gids() and server.uids().effective == expected
        lines = Path(f"/proc/{page.pid}/status").read_text().splitlines()
        assert next(line for line in lines if line.startswith("Groups:")).split()[1:] == []
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
