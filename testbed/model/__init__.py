"""What a migration will do, without doing it: closed forms, and the real algorithm on a fluid guest in virtual time.

predict ─ the algorithm and the policy         source, guest, writes, link, services ── what they run on here
broken ─ a source to which happens what was planned
chance, interval ─ what chance leaves open     closed_forms, laws ── what needs no round      full_scale ─ real size
waves ─ several guests that share one link
"""
