"""Labs on real hosts: the reference answers get all points, and known mistakes their hints. Mistakes that need runs of
their own are tried in the model (``tests/unit/test_labs_command.py``).
"""

import pytest

from tests.netns.launching import testbed


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("lab", "score"),
    [
        ("throttle", "90 of 100"),
        ("limit", "90 of 100"),
        ("hello", "20 of 20"),
        ("rounds", "90 of 100"),
        ("downtime", "90 of 100"),
        ("link", "90 of 100"),
        ("faults", "90 of 100"),
        ("talk", "90 of 100"),
        pytest.param("build", "90 of 100", marks=pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")),
    ],
)
def test_right_answers_get_all_points_and_mistakes_their_hints(lab: str, score: str) -> None:
    tested = testbed("lab", "test", lab, "--students", "1", "--engine", "native", "--quick", timeout_s=900)
    assert tested.returncode == 0, tested.stderr
    assert f"student-001: right answers earn {score}" in tested.stdout
