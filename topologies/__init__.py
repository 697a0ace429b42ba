"""Plain Mininet topologies, a file each (``two_hosts``). An interface is called after the network that it is on."""
