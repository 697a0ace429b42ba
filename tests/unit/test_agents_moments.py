"""Faults in words: each is read as it is written, and what could never be carried out is refused with what to do."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.moments import PATTERN, in_order, leaves, left, read_fault
from testbed.core.agents.phases import MEND, PHASES, WHATS
from testbed.core.plan import PlannedFault
from testbed.core.records.services import FaultRecord

FAULTS = st.builds(
    PlannedFault,
    phase=st.sampled_from(PHASES) | st.integers(1, 999).map(lambda index: f"round-{index}"),
    what=st.sampled_from(WHATS),
)


@given(FAULTS)
def test_a_fault_is_read_as_it_is_written(fault: PlannedFault) -> None:
    assert read_fault(str(fault)) == fault and re.match(PATTERN, str(fault))
    assert read_fault(f" {str(fault).upper().replace('-', '_')} ") == fault
    assert read_fault(str(fault).replace("-", " ")) == fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("comit:cut", "no phase of a migration is called 'comit'; did you mean 'commit'"),
        ("last_rond:cut", "did you mean 'last-round'"),
        ("round-0:cut", "no phase of a migration is called 'round-0'"),
        ("round-1000:cut", "no phase of a migration is called 'round-1000'"),
        ("commit:kill-dest", "no fault is called 'kill-dest'; did you mean 'kill-destination'"),
        ("commit:", "no fault is called ''"),
        ("commit", "expected PHASE:WHAT, such as commit:kill-destination, not 'commit'"),
        ("", "expected PHASE:WHAT"),
    ],
)
def test_a_wrong_word_is_told_the_nearest(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        read_fault(text)


@given(st.text())
def test_any_other_text_is_refused_in_a_line(text: str) -> None:
    try:
        read_fault(text)
    except ValueError as error:
        assert len(str(error)) < 300 and str(error).isprintable()


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (("commit:mend",), "commit:mend mends what is not cut; add commit:cut"),
        (("prepare:cut", "commit:mend"), "commit:mend mends what is not cut"),
        (("commit:cut", "commit:cut"), "the fault commit:cut stands here twice"),
        (("running:cut", "round-2:cut"), "running:cut would never be reached, since round-2:cut ends the migration; "
         "remove one, or mend the link: round-2:mend"),
        (("commit:cut", "commit:mend", "commit:kill-source"), "commit:mend would never be reached, since commit:kill-"),
        (("round-2:kill-source", "round-10:cut"), "round-10:cut would never be reached, since round-2:kill-source"),
    ],
)  # fmt: skip
def test_what_could_never_be_carried_out_is_refused(faults: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        in_order(map(read_fault, faults))


@given(st.lists(FAULTS, max_size=4))
def test_what_is_accepted_can_be_carried_out_and_says_who_runs(faults: list[PlannedFault]) -> None:
    """Only the last phase may end the migration, and it alone decides where the guest is."""
    try:
        ordered = in_order(faults)
    except ValueError:
        return
    assert sorted(map(str, ordered)) == sorted(map(str, faults)) and in_order(reversed(ordered)) == ordered
    phases = list(dict.fromkeys(fault.phase for fault in ordered))
    for phase in phases[:-1]:
        assert [fault.what for fault in ordered if fault.phase == phase] == ["cut", MEND]
    last = {fault.what for fault in ordered if phases and fault.phase == phases[-1]}
    ends = bool(last) and last != {"cut", MEND}
    met = [FaultRecord(phase=fault.phase, what=fault.what, at_s=1.0) for fault in ordered]
    assert left(met) == leaves(ordered) and left(replace(fault, at_s=None) for fault in met) is None
    broken = [replace(fault, fault="no tc") if fault.what == MEND else fault for fault in met]
    assert (left(broken) is None) is (met == [])
    assert leaves(ordered) == (None if not ends else "destination" if phases[-1] == "running" else "source")
