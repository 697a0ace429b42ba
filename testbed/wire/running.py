"""What an answer to a commit has to be before it is believed: from then on figures come from there."""

from testbed.wire.messages import Running


def contradiction(said: Running, asked_ns: int, heard_ns: int, operations: int) -> str | None:
    """Why this is no answer to a commit that was sent and answered at these times (CLOCK_MONOTONIC, which both hosts
    share), of a guest that had done so many operations; None: it may be true.
    """
    edges = (asked_ns, said.commit_received_ns, said.first_step_ns, said.announced_ns, heard_ns)
    names = ("the commit's arrival", "the first step", "the announcement", "the answer")
    for name, before, after in zip(names, edges, edges[1:], strict=False):
        if after < before:
            return f"{name} would lie {(before - after) / 1e9:.9g} s before what it follows"
    if said.operation <= operations:
        return f"its first step would be operation {said.operation}, and {operations} were done before"
    return None
