"""What a guest is on its network, and how that moves: its address announced, its connections found, moved, taken back.

inventory ─ which connections it has           connections ─ departing, arriving
announcer ─ where it is now                    rescue ────── what the run does when no agent can
"""
