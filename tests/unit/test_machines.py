"""The emulated machines of `bootstrap machine`, as far as they are words: which, made of what, told what."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from machines import cache, children, emulator, image, kinds, told
from machines.faults import CacheBusy, MachineError, ToolMissing, UsageError
from machines.kinds import KINDS, Kind

CHECKOUT = Path(__file__).resolve().parents[2]
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@pytest.mark.parametrize(
    ("words", "kind", "command"),
    [
        ([], "debian-13", []),
        (["debian-12"], "debian-12", []),
        (["arm64", "uname", "-a"], "arm64", ["uname", "-a"]),
        (["ci", "doctor"], "debian-13", ["ci", "doctor"]),
        (["debian-13", "debian-12"], "debian-13", ["debian-12"]),
    ],
)
def test_a_machine_may_be_named_before_its_command(words: list[str], kind: str, command: list[str]) -> None:
    assert kinds.parse(words) == (KINDS[kind], command)


@pytest.mark.parametrize("word", ["debian-14", "ubuntu-24.04", "armhf", "--fresh"])
def test_a_machine_that_is_not_there_is_refused_with_those_that_are(word: str) -> None:
    with pytest.raises(UsageError, match=f"{word} is none of the machines: debian-13, debian-12, arm64") as refused:
        kinds.parse([word, "true"])
    assert refused.value.exit_code == 2


def test_it_is_as_large_as_vagrants_and_made_by_the_same_script() -> None:
    text = (CHECKOUT / "Vagrantfile").read_text(encoding="utf-8")
    said = dict(re.findall(r"^(MEMORY_MB|CORES|VENV|DOCS_PORT) = \"?([^\"\n]+)\"?$", text, re.MULTILINE))
    assert (int(said["CORES"]), int(said["MEMORY_MB"]), said["VENV"]) == (kinds.CORES, kinds.MEMORY_MB, kinds.VENV)
    script = (CHECKOUT / "machines" / "provision").read_text(encoding="utf-8")
    assert "bash /vagrant/machines/provision vagrant" in text
    assert "bash /vagrant/machines/provision" in (CHECKOUT / "machines" / "fill").read_text(encoding="utf-8")
    assert f"TESTBED_VENV:-{said['VENV']}" in script and f"TESTBED_DOCS_PORT:-{said['DOCS_PORT']}" in script


@pytest.mark.parametrize("script", ["provision", "fill", "ci"])
def test_bash_can_parse_its_scripts(script: str) -> None:
    file = CHECKOUT / "machines" / script
    assert os.access(file, os.X_OK)
    assert subprocess.run(["bash", "-n", str(file)], check=False).returncode == 0


# ---- What it is made of ----------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    made = tmp_path / "checkout"
    for name in cache._MADE_OF:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def test_another_key_for_whatever_made_an_image(checkout: Path) -> None:
    kind = KINDS["debian-13"]
    keys = {cache.key(kind, checkout, []), cache.key(kind, checkout, []), cache.key(kind, checkout, ["a proxy"])}
    keys.add(cache.key(KINDS["debian-12"], checkout, []))
    for name in cache._MADE_OF:
        (checkout / name).write_text("another")
        keys.add(cache.key(kind, checkout, []))
    assert len(keys) == 3 + len(cache._MADE_OF)
    assert all(re.fullmatch(r"debian-1[23]-[0-9a-f]{16}", key) for key in keys)


def test_code_that_it_is_not_made_of_leaves_the_key(checkout: Path) -> None:
    before = cache.key(KINDS["arm64"], checkout, [])
    (checkout / "code.py").write_text("x")
    assert cache.key(KINDS["arm64"], checkout, []) == before


def test_one_call_at_a_time_has_the_cache(tmp_path: Path) -> None:
    with cache.held(tmp_path / "cache"):
        with pytest.raises(CacheBusy) as busy, cache.held(tmp_path / "cache"):
            pass
        assert busy.value.exit_code == 4
    with cache.held(tmp_path / "cache"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="TESTBED_MACHINES"), cache.held(tmp_path / "file" / "cache"):
        pass


def test_who_has_no_home_names_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As who a container runs as by number alone."""
    for name in ("HOME", "XDG_CACHE_HOME", "TESTBED_MACHINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(MachineError, match="TESTBED_MACHINES"):
        cache.folder()
    monkeypatch.setenv("TESTBED_MACHINES", str(tmp_path))
    assert cache.folder() == tmp_path


@each_kind
def test_the_image_is_made_of_the_distributions_packages(kind: Kind) -> None:
    command = image.command(kind, Path("/somewhere/a b"), ["deb http://x bookworm main"], ["Acquire::Retries 3"], 9)
    assert command[0] == "mmdebstrap" and f"--architectures={kind.architecture}" in command
    assert "--aptopt=Acquire::Retries 3" in command
    (included,) = [word for word in command if word.startswith("--include=")]
    assert kind.kernel in included and "cloud" not in included
    assert "--customize-hook=sync-in '/somewhere/a b' /var/tmp/fast-motion" in command
    assert command[-3:] == [kind.suite, "-", "deb http://x bookworm main"]
    assert image.command(kind, Path("/x"), [], [], 9)[-2:] == [kind.suite, "-"], "then mmdebstrap's own places hold"


def test_what_its_initial_disk_has_is_told_before_there_is_a_kernel(tmp_path: Path) -> None:
    command = image.command(KINDS["debian-13"], Path("/x"), [], [], 9)
    (hook,) = [word.removeprefix("--essential-hook=") for word in command if word.startswith("--essential-hook=")]
    subprocess.run(["sh", "-c", hook, "hook", str(tmp_path)], check=True)
    assert (tmp_path / "etc/initramfs-tools/conf.d/machine").read_text() == "MODULES=list\nCOMPRESS=zstd\n"


def test_what_lacks_is_named_with_the_one_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool, path: None if "qemu" in tool else f"/usr/bin/{tool}")
    with pytest.raises(ToolMissing, match=r"no qemu-system-x86_64: sudo apt-get install qemu-system-x86$") as lack:
        image.require(KINDS["debian-13"])
    assert lack.value.exit_code == 3
    monkeypatch.setattr(shutil, "which", lambda tool, path: f"/usr/bin/{tool}")
    image.require(KINDS["debian-13"])


def test_the_checkout_goes_in_without_what_is_made_of_it(tmp_path: Path) -> None:
    for name in ("bootstrap", "testbed/a.py", ".venv/x", "results/r/summary.json", "docs/_build/x", "a/__pycache__/b"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert image.tracked(tmp_path) == ["bootstrap", "testbed/a.py"]


# ---- What it is told -------------------------------------------------------------------------------------------------

DUMP = """Acquire "";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets "";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
"""


def test_of_apt_it_gets_how_to_reach_anything_and_no_more() -> None:
    assert told.apt_options(DUMP) == [
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::Check-Valid-Until "false";',
    ]


def test_of_places_it_gets_debians_own_and_its_own_suites() -> None:
    said = "Debian http://m.example/debian-security\nOther http://o.example/x\nDebian http://m.example/debian\n" * 2
    places = told.mirrors(said)
    assert places == ["http://m.example/debian", "http://m.example/debian-security"]
    assert told.sources(KINDS["debian-12"], places) == [
        "deb http://m.example/debian bookworm main",
        "deb http://m.example/debian bookworm-updates main",
        "deb http://m.example/debian-security bookworm-security main",
    ]
    assert told.sources(KINDS["debian-13"], []) == []


@each_kind
def test_pip_fetches_the_pins_for_that_python_as_wheels(kind: Kind) -> None:
    command = told.wheels_command(kind, CHECKOUT, Path("/wheels"))
    assert command[command.index("--python-version") + 1] == kind.python
    assert [word for word in command if word.startswith("manylinux")] == [
        f"manylinux_2_28_{kind.machine}",
        f"manylinux_2_17_{kind.machine}",
        f"manylinux2014_{kind.machine}",
    ]
    assert {"--only-binary=:all:", "--no-deps"} <= set(command)
    asked = {Path(word).name for word in command if word.endswith(".txt")}
    assert asked == {file.name for file in CHECKOUT.glob("requirements*.txt")}


def test_its_pip_asks_nobody(tmp_path: Path) -> None:
    told.lay(tmp_path, ["Acquire::Retries 3;"])
    assert "no-index = true" in (tmp_path / "etc/pip.conf").read_text()
    assert (tmp_path / "etc/apt/apt.conf.d/90told").read_text() == "Acquire::Retries 3;\n"


# ---- How it is started -----------------------------------------------------------------------------------------------


@each_kind
def test_a_machine_forgets_what_was_written_and_has_one_door(kind: Kind) -> None:
    line = " ".join(emulator.command(kind, cache.Image(Path("/i")), ["-accel", "kvm"], 2222))
    assert line.startswith(f"{kind.emulator} -accel kvm ")
    assert "-smp 2 -m 4096" in line and "file=/i/disk,format=raw,if=virtio,snapshot=on" in line
    assert "hostfwd=tcp:127.0.0.1:2222-:22" in line and line.count("hostfwd") == 1
    assert f"console={kind.console}" in line and "-nodefaults" in line and "-no-reboot" in line


def test_kvm_is_not_taken_for_another_processor(tmp_path: Path) -> None:
    other = KINDS["arm64" if os.uname().machine == "x86_64" else "debian-13"]
    assert emulator.accelerator(other, cache.Image(tmp_path)) == ["-accel", "tcg,thread=multi"]
    assert list(tmp_path.iterdir()) == []


def test_last_words_are_plain_text(tmp_path: Path) -> None:
    said = tmp_path / "console.log"
    said.write_bytes(b"zero\r\n" * 100_000 + b"one\r\n\x1b[31mtwo\x1b[0m\r\n\r\n\x07th\xffree\r\n")
    assert image.last_lines(said, 2) == ["two", "th\ufffdree"]


def test_a_child_ends_with_who_started_it_even_by_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from machines import children\n"
        "child = children.start(['sleep', '600'])\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    path = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    parent = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, env=path)
    assert parent.stdout
    pidfd = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        assert select.select([pidfd], [], [], 20)[0], "it lives on"
    finally:
        os.close(pidfd)


def test_behind_its_context_nothing_of_a_child_runs() -> None:
    deaf = "trap '' TERM; echo deaf; sleep 600"
    child = children.start(["sh", "-c", deaf], stdout=subprocess.PIPE, last=signal.SIGKILL)
    assert child.stdout
    with child.stdout, children.ended(child, patience_s=0.1):
        assert child.stdout.readline() == b"deaf\n"
    assert child.returncode == -signal.SIGKILL


def asked(tmp_path: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """As bootstrap does it."""
    env = {"PATH": str(tmp_path), "PYTHONPATH": str(CHECKOUT), "TESTBED_MACHINES": str(tmp_path / "cache"), **more}
    python = [sys.executable, "-P", "-m", "machines"]
    return subprocess.run([*python, *words], capture_output=True, text=True, check=False, env=env)


def test_what_cannot_be_is_one_line_and_makes_nothing(tmp_path: Path) -> None:
    refused = asked(tmp_path, "debian-14", "true")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        refused.stderr
        == "machine: debian-14 is none of the machines: debian-13, debian-12, arm64, then a command for it\n"
    )
    assert "bootstrap machine" in asked(tmp_path, "--help").stdout
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_taken_ends_with_4(tmp_path: Path) -> None:
    lacks = [tool for tool in (*image._TOOLS, KINDS["debian-13"].emulator) if not there(tool)]
    with cache.held(tmp_path / "cache"):
        refused = asked(tmp_path, "debian-13", "true")
    assert refused.returncode == (3 if lacks else 4), refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def there(tool: str) -> bool:
    return shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is not None


def test_what_a_killed_call_has_left_is_taken_away_and_images_stay(tmp_path: Path) -> None:
    for name in ("debian-13.x7", "debian-13-0123456789abcdef", "arm64.y", "others"):
        (tmp_path / name).mkdir()
    image.sweep(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"debian-13-0123456789abcdef", "others"}
