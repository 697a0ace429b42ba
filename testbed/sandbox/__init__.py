"""Code that is not trusted, in a process that can do no harm: it sees no file but its own, no network and nobody else,
starts nothing, keeps nothing, and has so many seconds and bytes.

    with sandbox.policy(Path("mine.py")) as policy:        a Policy, for whatever takes one
    with Sandbox(code_of(Path("plan.py")), serves="functions") as plan:
        plan.ask("waves", [fleet])                         what its function of that name returns, as JSON
    sandbox.explored(Path("tracker.py")).wrong             the shortest order in which a dirty tracker loses a page

sandbox ─ the process, asked           sandboxed_policy, sandboxed_tracker ─ those that are asked there
chosen ── a spec's policy, in a sandbox or not: all that is loaded before something of the rest is asked for
walls ─── bubblewrap, and its remedies     seccomp ─ system calls that are refused
packed ── our modules for there, compiled
messages ─ what is said, with limits       served_process, served ─ its inside
"""

from typing import TYPE_CHECKING, Any

from testbed.sandbox.chosen import SANDBOXED, built

if TYPE_CHECKING:
    from testbed.sandbox.sandbox import CodeFault, Sandbox, code_of
    from testbed.sandbox.sandboxed_policy import policy
    from testbed.sandbox.sandboxed_tracker import explored

__all__ = ["SANDBOXED", "CodeFault", "Sandbox", "built", "code_of", "explored", "policy"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'testbed.sandbox' has no attribute {name!r}")
    from testbed.sandbox import sandbox, sandboxed_policy, sandboxed_tracker

    known = {"policy": sandboxed_policy, "explored": sandboxed_tracker}
    return getattr(known.get(name, sandbox), name)
