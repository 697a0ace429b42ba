"""Plain Mininet topologies, one small file each. An interface is called after the network that it is on."""
