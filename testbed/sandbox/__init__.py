"""Code that is not trusted, in a process that can do no harm: it sees no file but its own, no network and nobody else,
starts nothing, keeps nothing, and has so many seconds and bytes.

    with sandbox.policy(Path("mine.py")) as policy:        a Policy, for whatever takes one
    with Sandbox(code_of(Path("plan.py")), serves="functions") as plan:
        plan.ask("waves", [fleet])                         what its function of that name returns, as JSON
    sandbox.explored(Path("tracker.py")).wrong             the shortest order in which a dirty tracker loses a page

sandbox ─ the process, asked           sandboxed_policy, sandboxed_tracker ─ those that are asked there
walls ─── bubblewrap, and its remedies     seccomp ─ system calls that are refused
messages ─ what is said, with limits       served_process, served ─ its inside
"""

from testbed.sandbox.sandbox import CodeFault, Sandbox, code_of
from testbed.sandbox.sandboxed_policy import SANDBOXED, built, policy
from testbed.sandbox.sandboxed_tracker import explored

__all__ = ["SANDBOXED", "CodeFault", "Sandbox", "built", "code_of", "explored", "policy"]
