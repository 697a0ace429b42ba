"""Hosts and links that are what the plan says: built, shaped, measured, and taken away without a trace.

fabric ─── hosts and networks, up and down (hosts: as values)      addressing ─ who has which address
links ──── at their rate, both ways            calibrate ── what they really do; trim: by how much that is off
commands ─ in a host's namespace               prompt ───── Mininet's        guest_interface ─ where the guest is
switches ─ the VM network's, asked
traffic ── transfers, cross traffic, iperf3
"""
