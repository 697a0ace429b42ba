"""The arena: the same board from the same key, ranks that are shared where nobody can tell, and files that only
ever run in a sandbox.
"""

import errno
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed import arena
from testbed.arena import formats
from testbed.arena.board import Result, ranked
from testbed.arena.entrants import entrant
from testbed.arena.finals import SIZE, TIME, finalists
from testbed.arena.guests import NEAR, OPEN_KEY, drawn, plans, scenario_of
from testbed.arena.match import Match
from testbed.arena.price import Outcome, Weights, price, weights_of
from testbed.cli.app import run_command
from testbed.core.errors import ScenarioError
from testbed.linux.namespaces.entering import NotEntered
from tests.unit.sandboxes import HEAD, doing, needs_sandbox

Captured = pytest.CaptureFixture[str]
FIXED = f"""{HEAD}
@dataclass(frozen=True, kw_only=True)
class Fixed:
    def decide(self, history):
        few = history[-1].dirtied_bytes < 500e6 or len(history) > 9
        return Decision(action=Action.SWITCH_OVER if few else Action.GO_ON, reason="a size that I know")
"""
STUDENT = f"""{HEAD}
from testbed.core.rounds import Throttle
from testbed.core.units import Seconds
@dataclass(frozen=True, kw_only=True)
class Student:
    downtime_goal: Seconds = 0.5
    def decide(self, history):
        last = history[-1]
        if last.dirtied_bytes <= self.downtime_goal * last.bandwidth:
            return Decision(action=Action.SWITCH_OVER, reason="within the goal")
        held = any(each.dirtied_bytes > 0.6 * each.sent_bytes for each in history)
        throttle = Throttle(kind="dirty_limit", dirty_rate=0.6 * last.bandwidth) if held else None
        return Decision(action=Action.GO_ON, reason="it goes on", throttle=throttle)
"""


def written(folder: Path, name: str, code: str) -> str:
    (folder / name).write_text(code)
    return str(folder / name)


def board(capsys: Captured, *words: str) -> dict[str, object]:
    assert run_command(["arena", *words, "--json"]) == 0
    known: dict[str, object] = json.loads(capsys.readouterr().out)
    return known


def test_guests_are_those_of_their_key() -> None:
    them = drawn(OPEN_KEY, 40)
    assert them == drawn(OPEN_KEY, 40) and them[:7] == drawn(OPEN_KEY, 7)
    assert not set(map(str, them)) & set(map(str, drawn("another", 40)))
    assert sum(NEAR[0] <= each.rho <= NEAR[1] for each in them) == 20
    assert sum(each.workload["name"] == "phases" for each in them) == 10
    # What is published may not move: somebody has a board of it.
    assert them[1].words == "30 GiB over 5 Gbit/s, uniform, rho 0.84, goal 397 ms"


@given(key=st.text(max_size=20))
@settings(max_examples=10, deadline=None)
def test_every_key_gives_guests_that_can_be(key: str) -> None:
    them = drawn(key, 8)
    for guest, plan in zip(them, plans(them), strict=True):
        assert plan.guest.ram_bytes == guest.ram_gib << 30
        assert plan.migration.policy["downtime_goal"] == pytest.approx(guest.goal_s)


def test_in_the_finals_they_are_the_same_but_small() -> None:
    them = drawn(OPEN_KEY, 8)
    for guest, plan in zip(them, scenario_of(them, size=SIZE, time=TIME).plans(), strict=True):
        sending = plan.guest.ram_bytes * 8 / (plan.network.vmotion.goodput or 0)
        assert sending == pytest.approx(guest.sending_s / TIME, rel=0.01)
        assert plan.guest.ram_bytes <= 512 << 20


def test_a_price_is_made_of_ratios() -> None:
    done = Outcome(total_time_s=15.0, downtime_s=0.6, lost_s=2.0)
    assert price(Weights(), done, sending_s=10.0, goal_s=0.3) == pytest.approx(0.25 + 0.2 + 0.2)
    larger = Outcome(total_time_s=150.0, downtime_s=6.0, lost_s=20.0)
    assert price(Weights(), larger, sending_s=100.0, goal_s=3.0) == pytest.approx(0.65)
    assert price(Weights(), Outcome(total_time_s=9.9, downtime_s=99.0, lost_s=0), sending_s=10, goal_s=0.1) == 2.0
    assert price(Weights(failed=7), Outcome(total_time_s=None, downtime_s=None, lost_s=0), sending_s=1, goal_s=1) == 7


def test_weights_are_read_as_they_are_written() -> None:
    assert weights_of("") == weights_of(Weights().words) == Weights()
    assert weights_of("time=1, failed=9") == Weights(time=1, failed=9)
    for wrong in ("tim=1", "time", "time=x", "time=-1", "time=nan", "time=1e300", "time=1,time=2", "=3"):
        with pytest.raises(ScenarioError, match="--weights"):
            weights_of(wrong)


def result(name: str, *prices: float, fault: str = "") -> Result:
    matches = tuple(Match(guest=n, price=p, completed=True, reason="") for n, p in enumerate(prices, 1))
    return Result(name=name, own=False, matches=matches, fault=fault)


def test_ranks_are_shared_where_the_guests_do_not_tell_them_apart() -> None:
    standings = ranked(
        [
            result("broken", 0.0, 0.0, 0.0, fault="it broke"),
            result("worst", 5.0, 5.1, 9.3),
            result("same", 1.0, 2.1, 2.9),
            result("best", 1.0, 2.0, 3.0),
        ]
    )
    assert [(each.name, each.rank) for each in standings] == [("best", 1), ("same", 1), ("worst", 3), ("broken", 4)]
    assert [each.rank for each in ranked([result("a", 1.0), result("b", 2.0)])] == [1, 1]
    assert [each.rank for each in ranked([result("a", 1.0, 1.0), result("b", 2.0, 2.0)])] == [1, 2]


def test_ours_stand_as_the_published_comparison_has_them(capsys: Captured) -> None:
    known = board(capsys, "vmotion")
    assert known == board(capsys, "vmotion"), "the same key, the same board"
    standings = known["standings"]
    assert isinstance(standings, list)
    order = [each["name"] for each in standings]
    assert order[:3] == ["qemu-dirty-limit", "vmotion", "qemu"] and order.index("plain") > order.index("xen")
    assert {each["name"]: each["completed"] for each in standings}["plain"] < 40


def test_a_file_plays_in_a_sandbox_and_one_that_breaks_loses(tmp_path: Path, capsys: Captured) -> None:
    needs_sandbox()
    canary = tmp_path / "canary"
    good = written(tmp_path, "good.py", STUDENT)
    spy = str(doing(tmp_path, f"open({str(canary)!r}, 'w')"))
    page, key = tmp_path / "page.html", tmp_path / "key"
    key.write_text("a key of mine\n")
    words = [good, spy, "--guests", "8", "--key", str(key), "--page", str(page)]
    known = board(capsys, *words)
    standings = {each["name"]: each for each in known["standings"]}  # type: ignore[attr-defined]
    assert standings[good]["fault"] == "" and standings[good]["completed"] == 8 and standings[good]["own"]
    assert f"{spy}:8: the policy failed after round 1: FileNotFoundError" in standings[spy]["fault"]
    assert standings[spy]["price"]["mean"] == 3.0 and standings["vmotion"]["completed"] == 8
    assert not canary.exists()
    assert "a key of mine" not in page.read_text() and str(known["key"]).startswith("sha256 ")
    assert "a key of mine" not in json.dumps(known)


def test_a_page_escapes_what_others_wrote(tmp_path: Path) -> None:
    needs_sandbox()
    bad = written(tmp_path, "<b>.py", "raise RuntimeError('<script>alert(1)</script>')\n")
    page = tmp_path / "page.html"
    assert run_command(["arena", bad, "--guests", "2", "--page", str(page)]) == 0
    assert "<script>alert(1)" not in page.read_text() and "&lt;script&gt;alert(1)" in page.read_text()


def test_a_match_of_the_lab(tmp_path: Path) -> None:
    needs_sandbox()
    mine = written(tmp_path, "mine.py", STUDENT)
    seen = arena.match(mine, guests=16)
    assert {each.name for each in seen.standings} == {mine, "plain", "qemu", "vmotion"}
    assert seen.of(mine).price.mean < seen.of("plain").price.mean
    lines = {each["name"]: each for each in formats.leaderboard(seen, mine)}
    assert lines["price"] == {"name": "price", "value": round(seen.of(mine).price.mean, 4), "order": "asc"}
    assert arena.scale_law(mine, guests=4) == []


@pytest.mark.parametrize("name", ["plain", "vmotion", "qemu", "qemu-dirty-limit", "xen", "flattening"])
def test_ours_keep_the_scale_law(name: str) -> None:
    assert arena.scale_law(name, guests=3) == []


def test_a_size_that_is_fixed_breaks_the_scale_law(tmp_path: Path) -> None:
    needs_sandbox()
    first = arena.scale_law(written(tmp_path, "fixed.py", FIXED), guests=2)[0]
    assert first.decided.startswith("switch over: ") and first.larger.startswith("go on: ")


def test_those_that_broke_are_in_no_finals() -> None:
    board = arena.match("plain", guests=2)
    assert [each.name for each in finalists(board, [entrant(each.name) for each in board.standings], 2)] == [
        each.name for each in board.standings[:2]
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "no policy is called 'nope'"),
        (["nope.py"], "there is no such file"),
        (["plain", "plain"], "plain: is given twice"),
        (["plain", "--weights", "x=1"], "no weight is called 'x'"),
        (["plain", "--key", "/no/such"], "/no/such: there is no such file"),
        (["plain", "--out", "x"], "add --native"),
        (["plain", "--guests", "1"], "--guests"),
    ],
)
def test_what_cannot_be_is_one_line(capsys: Captured, words: list[str], said: str) -> None:
    assert run_command(["arena", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize("name", ["mine.py", "key.txt", "linked.html"])
def test_no_page_is_written_over_what_plays_or_is_read(tmp_path: Path, capsys: Captured, name: str) -> None:
    mine, key = written(tmp_path, "mine.py", FIXED), written(tmp_path, "key.txt", "a key")
    (tmp_path / "linked.html").symlink_to("mine.py")
    assert run_command(["arena", mine, "--key", key, "--page", str(tmp_path / name)]) == 2
    assert "name another file" in capsys.readouterr().err
    assert Path(mine).read_text() == FIXED and Path(key).read_text() == "a key"


def test_a_page_that_cannot_be_written_takes_no_board(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    assert run_command(["arena", "plain", "--guests", "2", "--page", str(tmp_path / "file" / "board.html")]) == 1
    assert "qemu-dirty-limit" in capsys.readouterr().out


def test_a_courses_key_is_what_the_guests_are_drawn_from(tmp_path: Path, capsys: Captured) -> None:
    course, key = tmp_path / "course.yaml", tmp_path / "secret" / "key.txt"
    key.parent.mkdir()
    key.write_text("nobody guesses this\n")
    key.chmod(0o600)
    course.write_text("course: net-2026\narena_key: secret/key.txt\n")
    boards = []
    for words in (["--course", str(course)], ["--key", str(key)], []):
        assert run_command(["arena", "plain", "--guests", "2", "--json", *words]) == 0
        boards.append(json.loads(capsys.readouterr().out))
    assert boards[0] == boards[1] and boards[0]["guests"] != boards[2]["guests"]
    assert "nobody guesses" not in json.dumps(boards)

    def refused(*words: str) -> str:
        assert run_command(["arena", "plain", "--guests", "2", "--course", str(course), *words]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1
        return said.err

    assert "leave out one of them" in refused("--key", str(key))
    for mode in (0o640, 0o604):
        key.chmod(mode)
        assert f"others can read this key, and so know the guests: chmod go-rwx {key}" in refused()
    key.chmod(0o600)
    key.write_text(" \n")
    assert f"{key}: is empty" in refused()
    key.unlink()
    assert f"{key}: there is no such file" in refused()
    key.mkdir()
    assert f"{key}: is no ordinary file" in refused()
    course.write_text("course: net-2026\n")
    assert f"{course}: names no key; add a line such as: arena_key: key.txt" in refused()
    course.write_text("course: net-2026\narena_kee: key.txt\n")
    assert "arena_key" in refused()


def test_where_there_is_no_sandbox_no_file_plays(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_command(["arena", str(doing(tmp_path, "pass")), "--guests", "2"]) == 3
    assert "there is no bwrap" in capsys.readouterr().err
    assert run_command(["arena", "plain", "--guests", "2"]) == 0


def test_finals_need_root_and_say_so_first(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_kept: object) -> None:
        raise NotEntered("users", errno.EPERM)

    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("testbed.experiment.rootless.enter", refused)
    assert run_command(["arena", "plain", "--native", "1"]) == 3
    assert capsys.readouterr().err.startswith("testbed: real hosts without root need namespaces of one's own")
