"""What hosts, networks and ports are called: a topology of one's own has to have the same."""

ESX1, ESX2, CLIENT = "esx1", "esx2", "client"
"""The hosts: the guest goes from the first to the second, and is talked to from the third."""
VMOTION, VM = "vmotion", "vm"
NETWORKS = (VMOTION, VM)
"""Also what a host's interface on each is called."""
GUEST_INTERFACE = "eth0"
"""The guest's own, on the VM network."""
CHANNEL_PORT = 8000
"""The channel's (TCP): vMotion's own. Every run has namespaces of its own, so it is always free."""
STREAM_PORT = 8001
"""The streams' (TCP): a port of their own, so that who looks at packets can tell pages from words."""
PROBE_PORT = 7
"""The responder's (UDP): echo, as RFC 862 has it."""
