"""When QEMU looks at its dirty bitmap, and what it counts there: the same for both of its throttles.

    pending bytes
      │\\
      │ \\        pass: pages are sent, nobody looks at what is dirtied meanwhile
      │  \\   ┌──\\
      │   \\  │   \\  ┌\\
      ├────\\─┘────\\─┘─\\──  bandwidth x downtime limit: below it the bitmap is synchronised,
      └─────────────────▶   and if what is left is still below it, the guest is stopped

So a pass is never sent to its end: what is left of it joins what was dirtied, the pass goes on over both, and a guest
that dirties little is stopped with nearly all of the limit still to send. Between two looks is ``ITERATION_S``.

Towards a throttle count only looks that are more than a second apart: with less between them their bytes are added up.
Sources: QEMU migration/migration.c (migration_iteration_run, migration_update_counters), migration/ram.c
(ram_state_pending_exact, ram_save_iterate: MAX_WAIT, migration_bitmap_sync, migration_trigger_throttle), the same in
7.2 and 10.0. QEMU does not count what the switchover costs beside its pages; here it counts, as with every policy.
"""

from collections.abc import Sequence

from testbed.core.rounds import Round

ITERATION_S = 0.025
"""Seconds of sending before it is looked again how much is left. In QEMU it is 50 ms (MAX_WAIT), so that it stops with
25 ms less to send than its limit, on average; yet its downtimes were measured as 273 to 308 ms of 300, so beside its
pages its switchover takes some 20 ms where ours takes 5. With half of it downtimes come out as QEMU's."""
PERIOD_S = 1.0
"""Seconds that must lie between two looks for what they found to count."""
SEEN = 2
"""Such looks above the threshold that make one trigger; the count then starts anew."""


def triggering(history: Sequence[Round], threshold: float, period: float) -> list[Round]:
    """The rounds at whose end a throttle is to be begun or increased. ``threshold``: dirtied bytes / sent bytes."""
    found: list[Round] = []
    since, dirtied, sent, seen = 0.0, 0, 0, 0
    for index, done in enumerate(history):
        since = since if index else done.started_s
        dirtied, sent = dirtied + done.newly_dirtied_bytes, sent + done.sent_bytes
        ended = done.started_s + done.duration_s
        if ended - since <= period:
            continue
        seen += dirtied > threshold * sent
        since, dirtied, sent = ended, 0, 0
        if seen == SEEN:
            found.append(done)
            seen = 0
    return found
