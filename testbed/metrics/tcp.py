"""The streams' TCP, seen from outside: every connection of a host to a port, by the kernel's own account."""

from testbed.linux.net.tcp_info import ListedConnection, TcpConnections
from testbed.metrics.source import Row


class TcpSource:
    """Rows ``tcp``, one for each connection from a host (the namespace of process ``pid``) to ``port`` elsewhere.

    Connections are looked for when the number of the namespace's sockets has changed since the last tick, and asked for
    one by one otherwise: looking costs half a millisecond (see ``linux.net.tcp_info``). Raises ``OSError``.
    """

    def __init__(self, host: str, pid: int, port: int) -> None:
        self._host, self._port = host, port
        self._connections = TcpConnections(pid)
        self._known: list[ListedConnection] = []
        self._in_use = -1

    def sample(self) -> list[Row]:
        """One row a connection, in the order of their own ports."""
        in_use = self._connections.in_use()
        if in_use != self._in_use:
            self._in_use = in_use  # as it was before looking: what comes meanwhile is found at the next tick
            self._known = self._connections.to(self._port)
        else:
            self._known = [now for known in self._known if (now := self._connections.again(known))]
        return [self._row(connection) for connection in self._known]

    def close(self) -> None:
        """Lets go of the namespace."""
        self._connections.close()

    def _row(self, connection: ListedConnection) -> Row:
        info = connection.info
        return {
            "kind": "tcp",
            "host": self._host,
            "port": connection.local_port,
            "rtt_s": info.rtt_s,
            "rttvar_s": info.rttvar_s,
            "cwnd": info.cwnd,
            "mss": info.mss,
            "retransmits": info.retransmits,
            "bytes_acked": info.bytes_acked,
            "delivery_rate": info.delivery_rate,
            "congestion": info.congestion,
        }
