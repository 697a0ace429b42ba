"""The guest's memory at the source: what of it is dirty, who finds that, and where its pages are sent from.

start() ─▶ dirty: everything ─▶ a round is sent ─▶ collect(unsent) ─▶ dirty ─▶ ... ─▶ untrack(), close()
                                                └ exchange(): another tracker goes on ┘
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic

from testbed.core.errors import LocalProtocolError
from testbed.core.extents import Extents
from testbed.dirty import GuestPorts, Tracker
from testbed.migration.guest import HostedGuest
from testbed.migration.streams.sending import Memory


class TrackedMemory:
    """Owns the guest's tracker, whichever it is, until ``untrack``. Implements ``testbed.throttles.TrackerPlace``.

    ``dirty``: what the next round has to send. ``ram``: the guest's memory itself. ``pages``: where what was collected
    is read, which may be copies. ``install_s``: for how long the guest stood still for an exchange of trackers.
    """

    def __init__(self, guest: HostedGuest, tracker: Tracker, freezing: AbstractContextManager[object]) -> None:
        """``freezing`` is held while the tracker scans or another takes its place: then nobody else freezes the guest
        for a moment, whom a tracker that does so too would find running again in the middle.
        """
        ports = guest.ports()
        self._guest, self._freezing, self._size = guest, freezing, ports.ram_bytes
        self._tracker: Tracker | None = tracker
        self.ram = Memory(ports.ram_fd, self._size)
        self.pages = self._mapped(tracker)
        self.dirty = Extents.none()
        self.install_s = 0.0

    @property
    def tracked(self) -> bool:
        """Whether there is a tracker."""
        return self._tracker is not None

    @property
    def delayed_s(self) -> float:
        """Seconds that the tracker of now has kept writers waiting, all together."""
        return self._tracker.delayed_s if self._tracker else 0.0

    def start(self) -> None:
        """From here on every write is seen, and everything is to be sent."""
        self._there().start()
        self.dirty = Extents.whole(self._size)

    def collect(self, unsent: Extents) -> Extents:
        """After a round: what is dirty now is what was written since the last one, and ``unsent`` of that one's."""
        tracker = self._there()
        with self._freezing:
            tracker.keep(unsent)
            self.dirty = tracker.collect().union(unsent)
        return self.dirty

    def collect_last(self) -> None:
        """The guest stands still: what was written since is dirty too. From here on all is read from RAM itself."""
        with self._freezing:
            self.dirty = self.dirty.union(self._there().collect())

    def delay(self, dirty_rate: float | None) -> bool:
        """See ``Tracker``; False when the memory is not tracked any more."""
        return self._tracker is not None and self._tracker.delay(dirty_rate)

    def exchange(self, make: Callable[[GuestPorts], Tracker]) -> None:
        """See ``TrackerPlace``. What the tracker before still held is dirty too. When the new one cannot start, the
        memory is not tracked any more: nothing is left that could hold the guest up.
        """
        new = make(self._guest.ports())
        begun = monotonic()
        with self._freezing:
            try:
                self._take_leave(new)
                self._install(new)
            finally:
                self._guest.resume()
        self.install_s = monotonic() - begun

    def untrack(self) -> None:
        """Lets the guest's memory go; harmless when that was done."""
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            tracker.close()

    def close(self) -> None:
        """Untracked, and unmapped. Nobody may be sending from it."""
        self.untrack()
        self._unmap_copies()
        self.ram.close()

    def _there(self) -> Tracker:
        if self._tracker is None:
            raise LocalProtocolError("the guest's memory is not tracked any more")
        return self._tracker

    def _take_leave(self, new: Tracker) -> None:
        """Of the tracker that was there, as soon as the guest stands still. If that fails it goes on."""
        try:
            self._guest.freeze()
            self.dirty = self.dirty.union(self._there().collect())
        except BaseException:
            new.close()
            raise

    def _install(self, new: Tracker) -> None:
        old, self._tracker = self._there(), new
        try:
            old.close()  # memory is held by one tracker at a time
            new.start()
        except BaseException:
            self.untrack()
            raise
        self._unmap_copies()  # they have gone with the old one
        self.pages = self._mapped(new)

    def _mapped(self, tracker: Tracker) -> Memory:
        return self.ram if tracker.pages_fd == self.ram.fd else Memory(tracker.pages_fd, self._size)

    def _unmap_copies(self) -> None:
        if self.pages is not self.ram:
            self.pages.close()
