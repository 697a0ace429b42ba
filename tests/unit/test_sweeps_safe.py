"""Who may send a worker what: asked before anything is sent, and of what comes back again."""

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.sweeps.makers import safe
from testbed.sweeps.makers.brought import lay
from tests.unit.sweeping import grid

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("tcp://10.1.2.3:8786", "is neither encrypted nor does it ask who speaks"),
        ("tcp://lab1:8786", "use tls:// with --tls-ca"),
        ("tcp://0.0.0.0:8786", "use tls://"),
        ("tls://lab1:8786", "tls:// needs certificates; give --tls-ca, --tls-cert, --tls-key"),
        ("ucx://127.0.0.1:8786", "a scheduler is tls://HOST:PORT"),
        ("inproc://127.0.0.1:1", "a scheduler is tls://HOST:PORT"),
        ("tcp://127.0.0.1:0", "a scheduler is"),
        ("tcp://127.0.0.1@evil:80", "a scheduler is"),
        ("127.0.0.1:8786", "a scheduler is"),
    ],
)
@pytest.mark.parametrize("command", ["sweep", "worker"])
def test_what_is_not_safe_is_refused(tmp_path: Path, capsys: Captured, url: str, message: str, command: str) -> None:
    words = ["sweep", str(grid(tmp_path)), "--on", url, "--out", str(tmp_path / "out")]
    assert main(words if command == "sweep" else ["worker", url]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:8786", "tcp://127.9.9.9:1", "tcp://[::1]:65535"])
def test_this_machine_itself_needs_no_certificates(url: str) -> None:
    assert safe.place(url, safe.Certificates()).certificates is None


def test_a_certificate_that_is_not_there_is_said(tmp_path: Path) -> None:
    absent = tmp_path / ("deep" * 30) / "nowhere"
    with pytest.raises(ScenarioError, match=rf"--tls-ca {re.escape(str(absent))}: there is no such file"):
        safe.place("tls://a:1", safe.Certificates(ca=absent, cert=tmp_path, key=tmp_path))


@pytest.mark.needs_root("only root is asked")
def test_nobody_is_roots_worker_without_saying_so(capsys: Captured) -> None:
    assert main(["worker", "tcp://127.0.0.1:8786", "--engine", "simulated"]) == 2
    assert "as root; be an ordinary user" in capsys.readouterr().err


def test_without_dask_it_is_said_what_installs_it(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", str(grid(tmp_path)), "--on", "tcp://127.0.0.1:1"]) == 3
    assert "pip install 'fast-motion[sweep]'" in capsys.readouterr().err


@given(name=st.text(max_size=30) | st.sampled_from(["../x", "/etc/x", "a/../../x", "a//b", ".hidden", "a/b/c/d/e"]))
def test_a_file_that_was_brought_lies_in_its_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    above = tmp_path_factory.mktemp("above")
    try:
        lay({name: b"x"}, above / "run")
    except ScenarioError:
        assert list(above.iterdir()) == []
    else:
        assert (above / "run" / name).resolve().is_relative_to((above / "run").resolve())
        assert [each.name for each in above.iterdir()] == ["run"]
