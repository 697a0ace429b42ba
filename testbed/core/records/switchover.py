"""What a switchover is known to cost before its first page is sent: seconds that no byte explains.

    pause ─ last scan ─ last round ─ prepare (the guest's TCP connections) ─ commit ─ resume

As seen on two cores at 3 GHz. The scan is as long as the one before, which grows with memory; a round trip is waited
for by the last round and by prepare, and half of one by commit.
"""

PAUSE_S = 0.0004
ROUND_S = -0.0004
"""Each round, beside its bytes and one round trip: the link's bucket makes up for the pause between two rounds."""
PREPARE_S = 0.0007
COMMIT_S = 0.0001
RESUME_S = 0.0008
CONNECTION_S = 90e-6
"""Each TCP connection: 50 us to take it apart, 40 us to put it together again."""
ROUND_TRIPS = 2.5


def switchover_s(*, scan_s: float, rtt_s: float, connections: int) -> float:
    """Seconds, from those of a scan and of a round trip."""
    fixed = PAUSE_S + ROUND_S + PREPARE_S + COMMIT_S + RESUME_S
    return fixed + scan_s + ROUND_TRIPS * rtt_s + CONNECTION_S * connections
