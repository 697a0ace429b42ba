"""The moments of a migration, and what may break at one: the words alone, which the command line's help has too.

    hello ─ round-1 ─ round-2 ... ─ last-round ─ prepare ─ commit ─ running

Each is called after the message that is about to be said then.
"""

MEND, RUNNING, LAST_ROUND = "mend", "running", "last-round"
WHATS = ("cut", MEND, "kill-source", "kill-destination", "freeze-source", "freeze-destination")
PHASES = ("hello", "round-1", "round-2", LAST_ROUND, "prepare", "commit", RUNNING)
"""Of the rounds the first two stand for all of them."""


def round_phase(index: int) -> str:
    """The phase that a pre-copy round is."""
    return f"round-{index}"
