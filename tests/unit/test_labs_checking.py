"""A student's work is judged: numbers near enough, mistakes by name, gates, runs that are not theirs or not valid."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.labs.catalogue import LabFolder
from testbed.labs.check import Wrong, check, each_same, near, same
from testbed.labs.definition.spec import Scalar
from testbed.labs.evidence.seen import LabRun
from testbed.labs.starting import start
from testbed.packets.story import StoryLine
from testbed.runfiles import summary_reader
from tests.unit import learning
from tests.unit.learning import a_lab, answer, by_name, edited, finished, judged, right_answers, run, started

SPEC = """\
lab: mine
title: mine
minutes: 1
answers:
  a: {ask: a, before: run}
  why: {ask: why, type: text, read_by: teacher, points: 4}
runs:
  main: {}
  free: {set: [vm.workload.write_rate], optional: true}
"""
HEAD = "from testbed.labs.check import NotAsked, Wrong, check, near, own\n"


@given(
    right=st.floats(1e-3, 1e6),
    off=st.floats(-0.5, 0.5).filter(lambda off: min(abs(abs(off) - 0.05), abs(abs(off) - 0.15)) > 1e-6),
)
@settings(deadline=None)
def test_near_is_near_and_three_times_as_far_is_half(right: float, off: float) -> None:
    try:
        near(right * (1 + off), right, 0.05)
    except Wrong as wrong:
        assert abs(off) > 0.05 and wrong.share == (0.5 if abs(off) <= 0.15 else 0.0)
        assert f"too {'large' if off > 0 else 'small'}" in wrong.reason
    else:
        assert abs(off) <= 0.05


def test_a_mistake_is_known_by_its_number_and_the_nearest_is_told() -> None:
    hints = {20.0: "twice", 21.0: "nearly", 10.1: "right all the same"}
    with pytest.raises(Wrong) as wrong:
        near(20.9, 10.0, 0.05, hints=hints, unit="MB")
    assert (wrong.value.hint, wrong.value.share) == ("nearly", 0.0)
    assert wrong.value.reason == "20.9 MB is too large: it is 10 MB, and within 5 % of that is right"
    with pytest.raises(Wrong) as wrong:
        near(30, 10.0, 0.05, hints=hints, told=False)
    assert (wrong.value.hint, wrong.value.reason) == ("", "30 is too large")
    near(10.1, 10.0, 0.05, hints=hints)
    near(0, 0, 0.05)


def test_the_one_right_answer_passes_and_others_are_known_or_not() -> None:
    same("a", "a", "no")
    cases: list[tuple[dict[Scalar, str] | str, str]] = [({"b": "x"}, "x"), ({"c": "x"}, ""), ("for all", "for all")]
    for hints, hint in cases:
        with pytest.raises(Wrong) as wrong:
            same("b", "a", "no", hints)
        assert (wrong.value.reason, wrong.value.hint, wrong.value.share) == ("no", hint, 0.0)


@given(right=st.dictionaries(st.text(max_size=3), st.integers(0, 2), min_size=1), more=st.data())
def test_each_right_answer_of_several_earns_its_share(right: dict[str, Any], more: st.DataObject) -> None:
    wrong = more.draw(st.sets(st.sampled_from(sorted(right))))
    said = {name: value + (name in wrong) for name, value in right.items()}
    if not wrong:
        each_same(said, right, lambda name: (name, ""))
        return
    with pytest.raises(Wrong) as found:
        each_same(said, right, lambda name: (name, "hint"))
    assert found.value.reason == next(name for name in right if name in wrong)
    assert found.value.share == pytest.approx(1 - len(wrong) / len(right))


@pytest.mark.parametrize("points", [1.5, True, -1, "3"])
def test_points_are_whole_numbers(points: Any) -> None:
    with pytest.raises(ValueError, match="points are whole numbers"):
        check(points, "x")


def test_right_work_gets_all_points_and_words_wait_for_a_person(tmp_path: Path) -> None:
    result = judged(finished(tmp_path / "mine"))
    assert (result.score, result.most, result.fault, list(result.flags)) == (90, 100, "", [])
    assert {each.standing for each in result.results} == {"right", "by the teacher"}
    assert (result.lab, result.version, result.student, result.course) == ("rounds", "1", learning.ME, "net-2026")


def test_a_friends_run_is_nobodys_else(tmp_path: Path) -> None:
    friend, mine = finished(tmp_path / "friend", "friend@uni.example"), started(tmp_path / "mine")
    answer(mine, right_answers(mine))
    (friend / "runs").rename(mine / "runs")
    result = judged(mine)
    assert (result.score, result.most) == (0, 100)
    assert "recorded for the student friend@uni.example" in by_name(result)["own"].reason
    edited(mine / "runs/main-1/summary.json", lambda tree: tree["lab"].update(student=learning.ME))
    result = judged(mine)
    assert result.score == 0 and "yours is" in by_name(result)["own"].reason and len(result.flags) >= 1


def test_an_edited_record_is_not_ones_own(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    edited(mine / "runs/main-1/summary.json", lambda tree: tree["migrations"][0].update(total_time_s=5.0))
    result = judged(mine)
    assert result.score == 0 and "does not agree with itself" in by_name(result)["own"].reason
    assert {each.standing for each in result.results} == {"wrong", "by the teacher"}


def test_a_run_without_lab_run_is_nobodys(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    edited(mine / "runs/main-1/summary.json", lambda tree: tree.pop("lab"))
    assert "made without 'testbed lab run'" in by_name(judged(mine))["own"].reason


def test_a_run_that_is_not_valid_costs_nothing_and_the_one_before_counts(tmp_path: Path) -> None:
    def invalid(tree: Any) -> None:
        tree.update(valid=False, invalid_reasons=["the link was off by 3 %"])

    mine = finished(tmp_path / "mine")
    edited(mine / "runs/main-1/summary.json", invalid)
    result = judged(mine)
    assert (result.score, result.most) == (0, 10), "what a teacher reads"
    assert by_name(result)["own"].standing == by_name(result)["total"].standing == "not asked"
    assert by_name(result)["total"].reason == "run it again: the link was off by 3 %"
    run(mine)
    assert judged(mine).score == 90
    run(mine)
    edited(mine / "runs/main-3/summary.json", invalid)
    assert judged(mine).score == 90


def test_predictions_are_those_of_the_record(tmp_path: Path) -> None:
    mine = started(tmp_path / "mine")
    answer(mine, right_answers(mine) | {"passes": 9})
    run(mine)
    answer(mine, right_answers(mine))
    result = judged(mine)
    assert (
        by_name(result)["passes"].standing == "wrong" and "9 rounds were foreseen" in by_name(result)["passes"].reason
    )
    assert any("for 'passes'; the record has 9" in flag for flag in result.flags)


@pytest.mark.parametrize(
    "predictions",
    [{}, {"passes": "NaN", "total_s": [1], "other": 3}, dict.fromkeys(learning.PREDICTIONS)],
)
def test_a_prediction_that_a_record_lacks_is_none_and_is_flagged(tmp_path: Path, predictions: Any) -> None:
    mine = finished(tmp_path / "mine")
    edited(mine / "runs/main-1/summary.json", lambda tree: tree["lab"].update(predictions=predictions))
    result = judged(mine)
    said = "main-1: the record has no prediction of 'passes'; 'testbed lab run' writes it"
    assert (by_name(result)["passes"].standing, by_name(result)["passes"].reason) == ("wrong", said)
    assert said in result.flags and len(result.flags) == len(learning.PREDICTIONS)
    edited(mine / "runs/main-1/summary.json", lambda tree: tree["lab"].update(predictions="abc"))
    assert judged(mine).score == 0, "that is no record"


def mine(tmp_path: Path, code: str) -> tuple[LabFolder, Path]:
    lab = a_lab(tmp_path / "lab", SPEC, HEAD + code)
    folder = start(lab, learning.ME, "", tmp_path / "mine")
    answer(folder, {"a": 1, "why": "so"})
    return lab, folder


GATES = """
@check(3, "first", after=own)
def first(lab, run):
    raise Wrong("no", "hint", share={share})
@check(5, "second", after=[own, first])
def second(lab, run): ...
@check(7, "native", native=True)
def native(lab, run): ...
@check(2, "unasked")
def unasked(lab, run):
    raise NotAsked("not here")
@check(2, "after what was not asked", after=unasked)
def after(lab, run): ...
@check(1, "broken")
def broken(lab, run):
    return {{}}["x"]
@check(4, "free", run="free")
def free(lab, run): ...
@check(1, "no file")
def text(lab, run):
    lab.text("mine.py")
"""


@pytest.mark.parametrize(("share", "earned", "after"), [(0.0, 0, "wrong"), (0.6, 1, "right"), (9.0, 3, "right")])
def test_gates_shares_and_what_is_not_asked(tmp_path: Path, share: float, earned: int, after: str) -> None:
    lab, folder = mine(tmp_path, GATES.format(share=share))
    run(folder, lab=lab)
    result = judged(folder, lab)
    found = by_name(result)
    assert (found["first"].earned, found["first"].hint) == (earned, "hint")
    assert found["second"].standing == after
    assert {name for name, each in found.items() if each.standing == "not asked"} == {
        "native", "unasked", "after", "broken",
    }  # fmt: skip
    assert found["native"].reason == "it is of real hosts, and this run was simulated"
    assert found["broken"].reason.startswith("the check itself broke, checks.py:")
    assert found["free"].reason == "there is no run 'free' yet: testbed lab run free"
    assert found["text"].standing == "wrong" and "mine.py" in found["text"].reason
    assert result.most == 10 + 3 + 5 + 4 + 1 + 4


def test_a_run_that_students_set_something_of_may_be_there_several_times(tmp_path: Path) -> None:
    code = '@check(1, "two")\ndef two(lab, run):\n    rates = [each.write_rate for each in lab.runs("free")]\n'
    lab, folder = mine(tmp_path, code + "    if rates != [3e6, 2e6]: raise Wrong(str(rates))\n")
    run(folder, lab=lab)
    run(folder, "free", "vm.workload.write_rate=2MB/s", lab=lab)
    run(folder, "free", "vm.workload.write_rate=3MB/s", lab=lab)
    assert by_name(judged(folder, lab))["two"].standing == "right"
    edited_yaml = folder / "runs/free-1/scenario.yaml"
    edited_yaml.write_text(edited_yaml.read_text().replace("64MB", "65MB").replace("64000000", "65000000"))
    result = judged(folder, lab)
    assert result.score == 0 and "free-1: its guest.ram_bytes is" in by_name(result)["own"].reason


def test_a_capture_is_read_once_however_much_is_asked_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = finished(tmp_path / "mine") / "runs/main-1"
    seen, read = LabRun(name="main", folder=made, summary=summary_reader.as_written(made)), list[Path]()

    def story(file: Path) -> list[StoryLine]:
        read.append(file)
        return [StoryLine(at=2.5, sender="guest", receiver="everybody", words="RARP: here I am")]

    monkeypatch.setattr("testbed.packets.story.story", story)
    assert (seen.told("RARP"), read) == (None, []), "none were kept"
    file = made / "packets/02-1.pcap"
    file.parent.mkdir()
    file.touch()
    assert (seen.told("RARP"), seen.told("RARP", 2), seen.told("Hello", 2)) == (None, 2.5, None)
    assert read == [file]


def test_a_lab_may_have_nothing_to_run(tmp_path: Path) -> None:
    spec = "lab: plan\ntitle: plan\nminutes: 1\nruns: {}\nanswers: {a: {ask: a}}\n"
    code = '@check(3, "a")\ndef a(lab, run):\n    near(lab.answers["a"], 2, 0.1)\n'
    lab = a_lab(tmp_path / "lab", spec, HEAD + code)
    folder = start(lab, learning.ME, "", tmp_path / "mine")
    answer(folder, {"a": 2})
    assert judged(folder, lab).score == 13


ANYWAY = """\
lab: own
title: own
minutes: 1
runs: {free: {optional: true, invalid_too: true}}
"""
ASKED = """
@check(3, "what needs no run")
def without(lab, run):
    if run is not None: raise Wrong("a run")
@check(2, "of one that may be invalid", run="free")
def free(lab, run):
    if not run.summary.valid: raise Wrong(run.summary.invalid_reasons[0], "look")
@check(5, "of real hosts", run="free", native=True)
def native(lab, run): ...
"""


def test_a_run_may_be_left_out_and_may_count_though_it_is_not_valid(tmp_path: Path) -> None:
    lab = a_lab(tmp_path / "lab", ANYWAY, HEAD + ASKED)
    folder = start(lab, learning.ME, "", tmp_path / "mine")
    answer(folder, {})
    nothing = {name: each.standing for name, each in by_name(judged(folder, lab)).items()}
    assert nothing == {"own": "right", "without": "right", "free": "wrong", "native": "not asked"}
    run(folder, lab=lab)
    assert judged(folder, lab).score == 10 + 3 + 2
    made = run(folder, lab=lab)
    edited(made / "summary.json", lambda tree: tree.update(valid=False, invalid_reasons=["memory differs"]))
    found = by_name(judged(folder, lab))
    assert (found["own"].standing, found["without"].standing) == ("right", "right")
    assert (found["free"].reason, found["free"].hint) == ("memory differs", "look"), "the newest counts"
