"""Moving a running guest: the algorithm, which is pure, and the two agents that carry it out over real TCP.

precopy ──── the algorithm, over the verbs of a source; cancel: at any time; early_look: before a round's end
source, destination ─ the two ends             channel ─── messages between them       admission ── who is let in
tracked_memory, throttling ─ dirty pages, and how they are made fewer                 memory_views, digest ─ of memory
holding ──── where an end waits for what is to break there
guest ────── what the ends ask of it           agents ─ streams ─ identity ── processes; pages; the guest's network
"""
