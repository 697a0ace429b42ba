"""What every room knows of the emulated network without touching it: ``names`` of hosts and ports, and ``frames``."""
