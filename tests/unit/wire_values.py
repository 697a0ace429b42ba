"""Any message of the migration protocol, for those who write its bytes and those who read them in packets."""

import numpy as np
from hypothesis import strategies as st

from testbed.core.connection import TcpConnection
from testbed.core.extents import Extents
from testbed.core.text.printable import printable
from testbed.wire import messages as m

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
ID = st.binary(min_size=16, max_size=16)
TEXT = st.text(st.characters(codec="utf-8"), max_size=200).map(printable)
TABLE = st.lists(st.tuples(U64, U64), min_size=1, max_size=20)


def pages(index: int, runs: list[tuple[int, int]]) -> m.Pages:
    return m.Pages(index, Extents(np.array(runs, np.uint64).reshape(-1, 2)))


CHANNEL_FIXED = st.one_of(
    st.builds(m.Hello, ID, U64, U32, U16, U8),
    st.builds(m.Welcome, U64),
    st.builds(m.RoundBegin, U32, U64, U8),
    st.builds(m.RoundEnd, U32, U64),
    st.builds(m.RoundReceived, U32, U64),
    st.builds(m.Prepare, U64, ID, U32),
    st.builds(m.Prepared, U64, ID, U32),
    st.builds(m.Commit),
    st.builds(m.Running, U64, U64, U64, U64),
    st.builds(m.Abandon, TEXT),
    st.builds(m.Failed, TEXT),
)
"""What is said on the channel, but for connections."""
SCALE = st.integers(0, 14)
IP = st.ip_addresses(v=4).map(str)


@st.composite
def connections(draw: st.DrawFn) -> TcpConnection:
    finished, closed = draw(st.sampled_from([(False, False), (True, False), (True, True)]))
    heard = finished and not closed and draw(st.booleans())
    unacknowledged = b"" if heard else draw(st.binary(max_size=100))
    scales = draw(st.none() | st.tuples(SCALE, SCALE))
    return TcpConnection(
        local_ip=draw(IP),
        local_port=draw(U16),
        remote_ip=draw(IP),
        remote_port=draw(U16),
        send_sequence=draw(U32),
        receive_sequence=draw(U32),
        mss=draw(U32),
        send_scale=scales and scales[0],
        receive_scale=scales and scales[1],
        selective=draw(st.booleans()),
        timestamp=draw(st.none() | U32),
        window=draw(st.binary(min_size=20, max_size=20)),
        unaccepted=not closed and draw(st.booleans()),
        received=b"" if closed else draw(st.binary(max_size=100)),
        unacknowledged=unacknowledged,
        unsent=draw(st.integers(0, len(unacknowledged))),
        ended=draw(st.booleans()),
        finished=finished,
        heard=heard,
        closed=closed,
    )


CHANNEL = st.one_of(CHANNEL_FIXED, st.builds(m.GuestConnection, connections()))
ANY = st.one_of(CHANNEL, st.builds(pages, U32, TABLE), st.builds(m.StreamHello, ID, U16))
