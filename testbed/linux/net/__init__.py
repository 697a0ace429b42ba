"""The kernel's network: namespaces, interfaces and what they counted, packets as they pass, TCP's own state.

netns ─── inside another's namespace          tcp_info ──── what the kernel measured of a connection
netlink ─ questions and answers               tcp_table ─── which sockets a namespace has
interface ethtool counters ─ one interface    tcp_repair tcp_ends tcp_orphan tcp_segment ─ a connection that moves
packet_ring bpf ─ packets, and which of them
"""
