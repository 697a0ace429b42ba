"""What is said while a run goes on: plain lines, the live view's figures, nothing when quiet."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from testbed.cli import main
from testbed.cli.live import draw, figures, sights
from testbed.cli.progress import watching
from testbed.core.events import (
    Controlled,
    Event,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.migration_key import MigrationKey
from testbed.core.outlook import Outlook, Outlooks
from testbed.core.rounds import Action, Decision, Round, RoundKind
from testbed.report.words.lines import QUIET_S, Plain, lines

MB = 10**6
SIMULATED = ("run", "hello", "--engine", "simulated", "--no-page")
ROUND = Round(
    index=1, kind=RoundKind.PRECOPY, started_s=1.0, duration_s=2.0, sent_bytes=200 * MB, dirtied_bytes=50 * MB
)
KEY, LARGER = MigrationKey(name="ram=1GiB"), MigrationKey(name="ram=2GiB")
BEGIN = MigrationStarted(at=0.0, migration=KEY, index=1, total=2)
STORY: list[Event] = [
    BEGIN,
    PhaseChanged(at=0.5, migration=KEY, phase="network"),
    PhaseChanged(at=1.0, migration=KEY, phase="precopy"),
    Progress(at=2.0, migration=KEY, round=1, sent_bytes=100 * MB, round_bytes=200 * MB),
    RoundFinished(
        at=3.0, migration=KEY, round=ROUND, decision=Decision(action=Action.GO_ON, reason="went on after round 1")
    ),
    Progress(at=3.25, migration=KEY, round=2, sent_bytes=25 * MB, round_bytes=50 * MB),
]
END = MigrationFinished(at=5.0, migration=KEY, outcome="completed", reason="memory matches", valid=True)


def after(events: list[Event]) -> Outlook:
    outlooks = Outlooks()
    for event in events:
        outlooks.update(event)
    return outlooks.latest


def test_plain_lines_tell_the_story() -> None:
    assert [line for event in [*STORY, END] for line in lines(event)] == [
        "[1/2] ram=1GiB",
        "  network",
        "  precopy",
        f"  {ROUND}",
        "    went on after round 1",
        "  completed: memory matches",
    ]


def test_in_a_round_it_knows_rate_and_rest() -> None:
    outlook = after(STORY[:4])
    assert outlook.rate == 100 * MB
    assert outlook.left_bytes == 100 * MB
    assert outlook.left_s is None and outlook.all_left_s is None, "nothing is known of the dirty rate yet"


def test_after_a_round_it_counts_what_is_dirtied_meanwhile() -> None:
    outlook = after(STORY)
    assert outlook.dirty_rate == 25 * MB
    assert outlook.left_s == pytest.approx(0.25 / (1 - 0.25))
    assert figures(outlook)[:3] == ["25.0 MB left", "at 100 MB/s", "dirtied at 25.0 MB/s"]


def test_what_the_model_said_is_known_from_the_first_round_on() -> None:
    foreseen = replace(BEGIN, expected_s=9.0, others_s=20.0)
    outlook = after([foreseen, *STORY[1:4]])
    assert outlook.left_s == pytest.approx(8.0), "asked at 1, now 2"
    assert outlook.all_left_s == pytest.approx(28.0)
    late = after([replace(foreseen, expected_s=1.0), *STORY[1:]])
    assert late.left_s == pytest.approx(0.25 / (1 - 0.25)), "it outlasted the model: the rounds say more"


def test_who_never_converges_gets_no_estimate() -> None:
    busy = Round(
        index=1, kind=RoundKind.PRECOPY, started_s=1, duration_s=2, sent_bytes=200 * MB, dirtied_bytes=400 * MB
    )
    story = [*STORY[:4], RoundFinished(at=3.0, migration=KEY, round=busy, decision=None), STORY[5]]
    assert after(story).left_s is None
    assert not any(text.startswith("ETA") for text in figures(after(story)))


def test_what_is_done_says_how_long_the_rest_takes() -> None:
    second = MigrationStarted(at=5.0, migration=LARGER, index=2, total=3)
    assert after([*STORY, END, second]).all_left_s == pytest.approx(10.0), "this one and the last one"


@given(st.lists(st.sampled_from([*STORY, END]), max_size=12))
def test_any_order_of_events_can_be_drawn(events: list[Event]) -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(draw(after(events)))


@given(st.lists(st.booleans(), min_size=14, max_size=14))
def test_migrations_under_way_at_once_are_known_apart(turns: list[bool]) -> None:
    """However the events of two come in between each other, of each is known what its own say."""
    other: list[Event] = [replace(event, migration=LARGER, at=event.at + 0.1) for event in [*STORY, END]]
    stories, outlooks = {True: iter([*STORY, END]), False: iter(other)}, Outlooks()
    for turn in [*turns, *turns, *[not turn for turn in turns]]:
        event = next(stories[turn], None)
        if event is not None:
            outlooks.update(event)
    for key, story in ((KEY, [*STORY, END]), (LARGER, other)):
        assert replace(outlooks.of(key), lasted={}) == replace(after(story), lasted={}), "but how long others took"


def test_shown_is_the_one_under_way_that_began_last() -> None:
    outlooks = Outlooks()
    for event in (BEGIN, replace(BEGIN, migration=LARGER), replace(END, migration=LARGER)):
        outlooks.update(event)
    assert outlooks.latest.name == KEY.name, "the other one has ended"
    outlooks.update(END)
    assert outlooks.latest.name == LARGER.name


def test_the_drawing_holds_it_all() -> None:
    file = io.StringIO()
    Console(file=file, width=160).print(draw(after(STORY)))
    for text in ("1/2 ram=1GiB: precopy", "round 2", "25.0 MB left", "100 MB/s", "ETA"):
        assert text in file.getvalue()


def test_quiet_is_silent_and_plain_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(True, "title") as observer:
        observer(END)
    assert capsys.readouterr().err == ""
    with watching(False, "title") as observer:
        observer(END)
    out, err = capsys.readouterr()
    assert err == "title\n  completed: memory matches\n" and out == ""


def test_link_and_guest_are_shown_by_the_rates_between_two_samples() -> None:
    samples: list[Event] = [
        Sampled(at=3.0, migration=KEY, link_bytes=500 * MB, operations=1000),
        Sampled(at=3.2, migration=KEY, link_bytes=520 * MB, operations=1400),
    ]
    assert sights(after(STORY)) == []
    assert sights(after([*STORY, *samples])) == ["link 100 MB/s", "guest 2,000 operations/s"]
    another: Event = MigrationStarted(at=4.0, migration=LARGER, index=2, total=2)
    assert sights(after([*STORY, *samples, another, replace(samples[0], migration=LARGER)])) == [], (
        "its counters begin anew"
    )


def test_what_is_done_by_hand_is_a_line() -> None:
    done = Controlled(at=1.0, migration=KEY, what="rate", value=1e8, fault=None)
    refused = Controlled(at=1.0, migration=KEY, what="cut", value=None, fault="no such link")
    assert [line for event in (done, refused) for line in lines(event)] == [
        "  by hand: rate 100 Mbit/s",
        "  by hand: cut: no such link",
    ]


def test_how_long_it_will_take_is_said_at_once() -> None:
    (line,) = lines(replace(BEGIN, expected_s=21.4, others_s=40.0))
    assert line == "[1/2] ram=1GiB: about 21.4 s, then about 40.0 s by the model"


def test_what_cannot_complete_is_said_at_once_with_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*SIMULATED, "--set", "migration.timeout=1s", "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err.splitlines()
    assert code == 1 and said[1:3] == [
        "[1/1] hello: about 1.0 s by the model",
        "  by the model it does not complete: the migration took longer than its timeout",
    ]


def test_off_a_terminal_nobody_waits_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress comes five times a second; a line of it only where nothing else has been said for long."""
    plain = Plain()
    for event in (replace(BEGIN, expected_s=100.0), PhaseChanged(at=1.0, migration=KEY, phase="precopy")):
        plain(event)
    for tick in range(1, 151):
        plain(Progress(at=1.0 + tick / 5, migration=KEY, round=1, sent_bytes=tick * MB, round_bytes=200 * MB))
    said = capsys.readouterr().err.splitlines()[2:]
    assert len(said) == int(30 / QUIET_S)
    assert said[0] == "  round 1: 25.0 MB of 200 MB, about 95.0 s left"


def test_a_migration_that_gave_up_as_expected_is_said_so() -> None:
    end = replace(END, outcome="aborted", reason="gave up after round 9")
    assert list(lines(end)) == ["  gave up, as expected: gave up after round 9"]
    assert list(lines(replace(end, valid=False))) == ["  aborted: gave up after round 9 (not valid)"]
