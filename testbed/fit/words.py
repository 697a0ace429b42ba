"""What is said of a scenario and a machine: why it does not fit, and what to scale."""

from testbed.core.units import in_bytes
from testbed.fit.judging import NEAR_CORES, Fit, crowded, largest_guest
from testbed.fit.needs import BESIDE


def setting(fitted: Fit) -> str | None:
    """What to write behind the command, where a larger scale.size mends it: ``--set scale.size=64``."""
    if fitted.factor is None:
        return None
    return f"--set scale.size={fitted.needs.size * fitted.factor:g}"


def advice(fitted: Fit) -> str:
    """What to do about it, whatever it is."""
    mends = setting(fitted)
    if mends is not None:
        return f"what {'fits' if fitted.after == 'fits' else 'nearly does'}: {mends}"
    if fitted.verdict == "too large" and largest_guest(fitted.machine) == 0:
        return "no guest fits; end other programs, or add memory"
    if fitted.verdict == "too large":
        return f"no scale.size mends it; what fits is a guest of {in_bytes(largest_guest(fitted.machine))} as emulated"
    return "a larger scale.size does not mend it; end other programs, or give the machine more processors"


def why(fitted: Fit) -> str:
    """What is lacking, as the begin of a sentence."""
    needs, machine = fitted.needs, fitted.machine
    if fitted.verdict == "too large":
        return (
            f"{needs.name}: two copies of {in_bytes(needs.ram)} of RAM and {in_bytes(BESIDE)} beside them need "
            f"{in_bytes(needs.memory)}, and {machine.of} {in_bytes(machine.memory)} available"
        )
    beset = machine.got is not None and crowded(needs, machine) and fitted.share <= NEAR_CORES
    if machine.cores is None or (not beset and fitted.share * 2 < needs.memory / machine.memory):
        return f"{needs.name}: it needs {in_bytes(needs.memory)} of the {in_bytes(machine.memory)} that {machine.of}"
    there = f"this machine has {machine.cores:.2f} for it now"
    if beset:
        there = f"others leave {machine.got:.2f} of {machine.cores:.2f} now"
    return f"{needs.name}: it needs about {fitted.cores:.2f} processors, and {there}"


def warning(fitted: Fit) -> str | None:
    """What is said to who is about to run it, and in its record; None where it fits."""
    match fitted.verdict:
        case "fits":
            return None
        case "near":
            return f"{why(fitted)}; it may not come out valid; {advice(fitted)}"
        case _:
            return f"{why(fitted)}; it will hardly come out valid; {advice(fitted)}"
