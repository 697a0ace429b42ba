"""Labs on real hosts: the reference answers get all points, and each known mistake its hint and no other."""

import pytest

from tests.netns.launching import testbed


def test_right_answers_get_all_points_and_mistakes_their_hints() -> None:
    for lab, score in (("rounds", "90 of 100"), ("hello", "20 of 20")):
        tested = testbed("lab", "test", lab, "--students", "1", "--engine", "native")
        assert tested.returncode == 0, tested.stderr
        assert f"student-001: right answers earn {score}" in tested.stdout


@pytest.mark.timeout(900)
def test_the_lab_of_throttles() -> None:
    tested = testbed("lab", "test", "throttle", "--students", "1", "--engine", "native", timeout_s=900)
    assert tested.returncode == 0, tested.stderr
    assert "student-001: right answers earn 90 of 100" in tested.stdout


@pytest.mark.timeout(400)
def test_the_lab_of_links() -> None:
    tested = testbed("lab", "test", "link", "--students", "1", "--engine", "native", timeout_s=400)
    assert tested.returncode == 0, tested.stderr
    assert "student-001: right answers earn 90 of 100" in tested.stdout
