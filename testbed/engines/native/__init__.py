"""This project's own agents and guest between emulated hosts.

engine ── one migration from nothing to nothing      following ── to its end, in whatever way it comes
agents ── their processes                            settling ─── who owns the guest when no agent can say so
proof ─── memory against memory                      concluding ─ what comes after the end
"""
