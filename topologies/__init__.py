"""Plain Mininet topologies, a file each (``two_hosts``, ``two_hosts_ovs``). Interfaces are called after networks."""
