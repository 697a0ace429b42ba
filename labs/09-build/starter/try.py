"""Your tracker in every order in which it and a guest can act, and the shortest in which it loses a page."""

from testbed.dirty.interleavings import explore
from testbed.dirty.own_file import OWN_TRACKER

found = explore(OWN_TRACKER.load("./tracker.py"))
print(found.wrong or f"nothing is lost in {found.interleavings:,} orders")
print(f"{found.calls:,} calls, {found.sent:,} pages sent after round 1, {found.needless:,} of them without need")
