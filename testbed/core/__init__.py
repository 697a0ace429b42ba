"""Values and their rules. Nothing here knows a socket, a clock, a file or a process.

plan ──── what is to be done                   rounds ──── what was, a round each, and what a policy decided
events ── what is heard meanwhile, of each migration_key           outlook ─ how long it will still take
records ─ what is written of it                agents ──── what they and the run say       connection ─ of TCP
network ─ what hosts and ports are called
registry, parameters ─ extensions by name      settings, expectation ─ what a scenario says of a migration
extents ─ parts of a memory                    text, units, names ─ what was written; what a number means; modules
errors ── the tree of faults                   version
"""
