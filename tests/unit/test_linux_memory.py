"""What memory a run may still have: the least of what the machine, each control group above it, and a limit leave."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.linux.control_groups import quota
from testbed.linux.memory.room import Room, available_bytes, room

MIB = 1 << 20
MEMINFO = "MemTotal:       16000000 kB\nMemAvailable:    8388608 kB\n"
UNLIMITED = "9223372036854771712"


def machine(root: Path, cgroup: str, mounts: str, **groups: dict[str, str]) -> Path:
    """Files of a machine; of each group by its folder, with ``__`` for a slash."""
    me = root / "proc/self"
    me.mkdir(parents=True)
    (root / "proc/meminfo").write_text(MEMINFO)
    (me / "cgroup").write_text(cgroup)
    (me / "mountinfo").write_text(mounts)
    for name, files in groups.items():
        folder = root / name.replace("__", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_text(content + "\n")
    return root


V1 = "35 31 0:32 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n34 31 0:31 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
V2 = "41 31 0:38 / /cg rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
V1_UNUSED = {"memory.usage_in_bytes": "0"}


def test_a_machine_without_groups_has_what_it_has(tmp_path: Path) -> None:
    found = room(machine(tmp_path, "", ""))
    assert found == Room(size=8192 * MIB, of="this machine has")


def test_the_limit_of_a_group_of_version_1_counts_less_its_use_but_not_its_idle_cache(tmp_path: Path) -> None:
    files = {"memory.limit_in_bytes": str(400 * MIB), "memory.usage_in_bytes": str(150 * MIB)}
    files["memory.stat"] = f"cache 9\ntotal_inactive_file {50 * MIB}"
    root = machine(tmp_path, "8:pids:/\n4:memory:/user/me\n0::/\n", V1, cg__memory__user__me=files)
    assert room(root).size == 300 * MIB
    assert room(root).of == f"the control group {root / 'cg/memory/user/me'} leaves"


@pytest.mark.parametrize("limit", ["memory.max", "memory.high"])
@pytest.mark.parametrize("where", ["cg__a__b__c", "cg__a__b", "cg__a"])
def test_any_group_above_may_be_the_one_of_version_2(tmp_path: Path, limit: str, where: str) -> None:
    each = {"memory.max": "max", "memory.high": "max", "memory.current": str(100 * MIB)}
    groups = {name: dict(each) for name in ("cg__a__b__c", "cg__a__b", "cg__a")}
    groups[where][limit] = str(700 * MIB)
    root = machine(tmp_path, "0::/a/b/c\n", V2, **groups)
    assert room(root).size == 600 * MIB


@pytest.mark.parametrize(
    ("path", "mounted"), [("/docker/x", "/docker/x"), ("/../../x", "/"), ("/", "/"), ("/elsewhere", "/docker/x")]
)
def test_in_a_container_its_own_group_is_the_mount_point(tmp_path: Path, path: str, mounted: str) -> None:
    files = {"memory.limit_in_bytes": str(64 * MIB), "memory.usage_in_bytes": "0"}
    mount = f"35 31 0:32 {mounted} /cg/memory rw - cgroup cgroup rw,memory\n"
    root = machine(tmp_path, f"4:memory:{path}\n", mount, cg__memory=files)
    assert room(root).size == 64 * MIB


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({"cpu.max": "20000 100000"}, 0.2),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"}, 3.0),
        ({"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_how_many_processors_a_group_lets_us_have(tmp_path: Path, files: dict[str, str], share: float | None) -> None:
    root = machine(tmp_path, "5:cpu:/x\n0::/x\n", V1 + V2.replace("/cg ", "/new "), cg__cpu__x=files, new__x=files)
    assert quota(root) == share


@pytest.mark.parametrize(
    "name", [b"/media/M\xfcller", "/media/a\u2028b".encode(), b"/media/a\rb", b"/media/a\\040-\\040b"]
)
def test_a_mount_point_of_any_name_is_passed_over(tmp_path: Path, name: bytes) -> None:
    root = machine(tmp_path, "4:memory:/x\n", "", cg__memory__x={"memory.limit_in_bytes": "100"} | V1_UNUSED)
    other = b"30 1 8:1 / %s rw,nosuid shared:2 - vfat /dev/sdb1 rw\n31 1 0:9 / /empty rw - tmpfs  rw\n" % name
    (root / "proc/self/mountinfo").write_bytes(other + V1.encode())
    assert room(root).size == 100


@pytest.mark.parametrize("name", [rb"a\x2db.scope", b"gr\xfcn", b"two words"])
def test_a_group_of_any_name_is_found(tmp_path: Path, name: bytes) -> None:
    """In mountinfo a backslash and a blank have their numbers."""
    seen = name.replace(b"\\", rb"\134").replace(b" ", rb"\040")
    root = machine(tmp_path, "", "", cg__job={"memory.limit_in_bytes": "100"} | V1_UNUSED)
    (root / "proc/self/cgroup").write_bytes(b"4:memory:/%s/job\n" % name)
    (root / "proc/self/mountinfo").write_bytes(b"35 31 0:32 /%s /cg rw - cgroup cgroup rw,memory\n" % seen)
    assert room(root).size == 100 and room(root).of.isprintable()


def test_no_limit_and_more_use_than_the_limit(tmp_path: Path) -> None:
    files = {"memory.limit_in_bytes": UNLIMITED, "memory.usage_in_bytes": "5"}
    assert room(machine(tmp_path / "a", "4:memory:/x\n", V1, cg__memory__x=files)).size == 8192 * MIB
    files = {"memory.limit_in_bytes": "100", "memory.usage_in_bytes": "200"}
    assert room(machine(tmp_path / "b", "4:memory:/x\n", V1, cg__memory__x=files)).size == 0


def test_the_limit_on_the_address_space_counts() -> None:
    code = "from testbed.linux.memory.room import room; print(room().size, room().of)"
    limit = 256 * MIB
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    size, _, of = done.stdout.partition(" ")
    assert int(size) < limit and "ulimit -v" in of


def test_this_machine_has_some() -> None:
    assert available_bytes() > 0
