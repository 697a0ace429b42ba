"""Copies: the same measured figure, or the same words, in two hand-ins; and none where there is none."""

import json
from pathlib import Path

import pytest

from testbed.grades.alike import MOST_FIGURES, Signs, shared, signs
from tests.unit.audited import Files
from tests.unit.graded import a_student

WORDS = "The last round is not empty since the guest goes on writing until it is stopped."


def of_native(folder: Path, change: float = 0.0, words: str = "") -> Signs:
    """A hand-in with the kept native run, all of whose figures are moved by a share ``change``."""
    a_student(folder, folder.name, f"why: {json.dumps(words)}\n")
    files = Files.kept()
    files.summary = json.loads(json.dumps(files.summary), parse_float=lambda text: float(text) * (1 + change))
    files.written(folder / "runs" / "main-1")
    return signs(folder)


def test_a_measured_figure_in_two_hand_ins_names_both(tmp_path: Path) -> None:
    works = [of_native(tmp_path / "ada"), of_native(tmp_path / "bob", 1e-7), of_native(tmp_path / "eve")]
    flags = shared(works, ["a.zip", "b.zip", "e.zip"], ["ada", "bob", "eve"])
    assert flags[1] == []
    assert flags[0][0].startswith("the same measured figures as e.zip (eve): ") and len(flags[0]) == 1
    assert flags[2][0].startswith("the same measured figures as a.zip (ada): ") and "more" in flags[2][0]


def test_one_figure_is_enough(tmp_path: Path) -> None:
    works = [of_native(tmp_path / "ada"), of_native(tmp_path / "bob", 1e-7)]
    figure, place = next(iter(works[0].figures.items()))
    works[1] = Signs({**works[1].figures, figure: place})
    assert shared(works, ["a", "b"], ["", ""]) == [
        [f"the same measured figures as b: {place} {figure}"], [f"the same measured figures as a: {place} {figure}"],
    ]  # fmt: skip


def test_a_short_time_is_no_sign_however_many_digits_it_is_written_with(tmp_path: Path) -> None:
    """Two honest runs had a round trip of 16,735 ns, of which a float's rounding made sixteen digits."""
    a_student(tmp_path / "ada", "ada")
    files = Files.kept()
    files.done["link"]["rtt_s"], files.done["total_time_s"] = 1.673500082688406e-05, 0.123456789
    files.written(tmp_path / "ada" / "runs" / "main-1")
    figures = signs(tmp_path / "ada").figures
    assert "link.rtt_s" not in figures.values() and figures["0.123456789"] == "total_time_s"


def test_of_a_record_with_figures_without_end_the_first_are_kept(tmp_path: Path) -> None:
    a_student(tmp_path / "ada", "ada")
    files = Files.kept()
    first = set(of_native(tmp_path / "bob").figures)
    files.summary["migrations"] += [{"total_time_s": number + 0.12345678912} for number in range(1, MOST_FIGURES + 9)]
    files.written(tmp_path / "ada" / "runs" / "main-1")
    figures = signs(tmp_path / "ada").figures
    assert len(figures) <= MOST_FIGURES and first <= set(figures)


def test_simulated_runs_of_the_same_parameters_are_no_copies(tmp_path: Path) -> None:
    def simulated(folder: Path, at: str) -> Signs:
        a_student(folder, folder.name)
        files = Files.kept()
        files.summary |= {"engine": "simulated", "started_at": at}
        files.written(folder / "runs" / "main-1")
        return signs(folder)

    works = [simulated(tmp_path / str(index), at) for index, at in enumerate(["09:00:01", "09:00:02", "09:00:01"])]
    assert [len(flags) for flags in shared(works, list("abc"), list("abc"))] == [1, 0, 1]


@pytest.mark.parametrize(
    ("theirs", "alike"),
    [
        (WORDS, True),
        (WORDS.upper().replace(" ", "\n"), True),
        (WORDS.replace("stopped", "stunned"), True),
        ("It is never empty: whatever was written during the pass before has to be sent while it stands.", False),
        ("", False),
    ],
)
def test_the_same_words_are_flagged(tmp_path: Path, theirs: str, alike: bool) -> None:
    works = [of_native(tmp_path / "ada", 0, WORDS), of_native(tmp_path / "bob", 1e-7, theirs)]
    flags = shared(works, ["a", "b"], ["ada", "bob"])
    assert [bool(each) for each in flags] == [alike, alike]
    assert not alike or flags[0][0].startswith("the answer 'why' is ")


@pytest.mark.parametrize("content", ["", "[]", '{"migrations": 3}', '{"migrations": [3, {"link": 1, "rounds": [0]}]}'])
def test_what_cannot_be_read_has_no_signs(tmp_path: Path, content: str) -> None:
    folder = a_student(tmp_path / "ada", "ada", "[")
    (folder / "runs" / "main-1").mkdir(parents=True)
    (folder / "runs" / "main-1" / "summary.json").write_text(content)
    assert signs(folder) == Signs()


def test_a_class_of_two_hundred_is_compared_in_seconds() -> None:
    """Counted, not timed: who shares nothing is looked at for words alone."""
    works = [Signs({f"{index}.123456789": "total_time_s"}, {}) for index in range(200)]
    assert shared(works, [str(index) for index in range(200)], [str(index) for index in range(200)]) == [[]] * 200
