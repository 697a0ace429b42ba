"""How long who waits for whom, in seconds: one table, since who knows why has to speak before the next gives up.

    TCP finds a peer dead      DEAD_PEER   ┐
    destination: a stream      CONNECT     ├─▶ source: an answer  STUNNED ≤ ANSWER ─▶ run: a word  SILENCE
    destination: told pages    PAGES       ┘
    source: an answer that may not be cancelled any more   STUNNED ─▶ run: the end after a cancel  CANCEL_GRACE
    TCP finds a peer dead, at the other end too          DEAD_PEER ─▶ run: the destination's last word  LAST_WORD

Each arrow is "before": else whoever waits for the one who waits would end it, and blame it for another's silence.
"""

DEAD_PEER_S = 4
"""Without an acknowledgement, or without an answer to keep-alives, a peer counts as dead."""
CONNECT_TIMEOUT_S = 5.0
"""For a connection to be made, and for who connected to say who it is."""
PAGES_TIMEOUT_S = 8.0
"""For pages that the destination was told have been sent, while none come."""
STUNNED_TIMEOUT_S = 10.0
"""The destination may be silent so long while the guest stands still, before the source takes it back."""
ANSWER_TIMEOUT_S = 15.0
"""The destination may be silent so long while the guest runs on: it costs nobody anything."""
SILENCE_S = 20.0
"""An agent that says nothing for so long hangs: it tells its progress several times a second, and waits for no answer
that long. Without this a guest could be stunned for as long as the timeout lasts."""
CANCEL_GRACE_S = 12.0
"""How long a source may take to stop after a cancel, before its agent is ended instead."""
LAST_WORD_S = 5.0
"""How long a destination may take to say how it ended, once the source has."""
QUIET_S = 3600.0
"""A source may be silent this long, and no page come: a round may take longer, and keep-alives find a dead peer."""
