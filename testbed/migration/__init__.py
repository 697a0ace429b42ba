"""Moving a running guest: the algorithm, which is pure, and the two agents that carry it out over real TCP.

precopy ──── the algorithm, over the verbs of a source; cancel: asked for at any time; looking: before a round's end
source, destination ─ the two ends             channel ─── messages between them        door ── who is let in
tracked_memory, throttling ─ dirty pages, and how they are made fewer                 views, digest ─ of memory
guest ────── what the ends ask of it           agents ─ streams ─ identity ── processes; pages; the guest's network
"""
